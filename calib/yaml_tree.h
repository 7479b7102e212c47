// A YAML document as a plain tree in which every value knows where it was written, so that a
// fault found much later, even after merging, can name the line.
//
// Why not YAML::Node: its marks are lost when nodes of different texts are merged, it keeps
// duplicate keys silently, and it shares aliased nodes, so that a change to one changes all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calib/yaml_text.h"

namespace evenkeel {

/// Where a value was written: "job.yaml:3", or "--set transform.alpha". `order` sorts faults:
/// the line of the file, then the settings as given.
struct YamlPlace {
  std::string where;
  int order = 0;
};

struct YamlEntry;

/// A copy is deep: aliases were expanded while reading. A plain value; not thread-safe to change.
struct YamlValue {
  enum class Kind { null, text, list, map };

  Kind kind = Kind::null;
  std::string text;     // of a scalar, without quotes
  bool quoted = false;  // "8" is text, 8 may be a number
  std::vector<YamlValue> items;
  std::vector<YamlEntry> entries;  // in the order written; keys are unique
  YamlPlace place;

  /// The entry of that key, or nullptr; also nullptr when this is not a map.
  const YamlEntry* find(std::string_view key) const;
  YamlEntry* find(std::string_view key);
  void erase(std::string_view key);
};

struct YamlEntry {
  std::string key;
  YamlPlace place;  // of the key
  YamlValue value;
};

/// The one document of `text`; a text without any gives a null value. Anchors and aliases are
/// expanded; nesting is bounded (32 deep, 10000 values), so that no text can exhaust the machine.
/// Throws: UsageError "NAME:LINE: ..." for what is not YAML or not UTF-8, a second document, a
/// key given twice or that is not text, a tag, and beyond the bounds.
YamlValue parse_yaml(std::string_view text, const YamlSource& source);

/// YAML that `parse_yaml` reads back as the same tree (places aside). Equal trees give equal text.
std::string emit_yaml(const YamlValue& value);

/// An empty value.
YamlValue yaml_value(YamlValue::Kind kind, YamlPlace place);

/// What was given, for messages: 'text', "a list", "a section", "no value".
std::string described(const YamlValue& value);

}  // namespace evenkeel
