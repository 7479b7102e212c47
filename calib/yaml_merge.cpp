#include "calib/yaml_merge.h"

#include <algorithm>
#include <string>
#include <utility>

#include "calib/job_keys.h"

namespace evenkeel {
namespace {

void open_named_scheme(std::string_view path, YamlValue& value) {
  if (path != "scheme" || value.kind != YamlValue::Kind::text) return;
  YamlValue section = yaml_value(YamlValue::Kind::map, value.place);
  section.entries.push_back({"name", value.place, value});
  value = std::move(section);
}

void drop_the_other_source(std::string_view path, YamlValue& into, const YamlValue& from) {
  if (path != "calibration") return;
  const bool corpus = from.find("corpus") != nullptr;
  const bool random = from.find("random") != nullptr;
  if (random && !corpus) into.erase("corpus");
  if (corpus && !random) into.erase("random");
}

void merge(std::string_view path, YamlValue& into, YamlValue from) {
  drop_the_other_source(path, into, from);
  for (auto& entry : from.entries) {
    YamlEntry* const existing = into.find(entry.key);
    if (existing == nullptr) {
      into.entries.push_back(std::move(entry));
      continue;
    }
    const std::string entry_path = key_path(path, entry.key);
    if (entry.value.kind == YamlValue::Kind::map) open_named_scheme(entry_path, existing->value);
    if (entry.value.kind == YamlValue::Kind::map && existing->value.kind == YamlValue::Kind::map) {
      merge(entry_path, existing->value, std::move(entry.value));
    } else {
      *existing = std::move(entry);
    }
  }
}

/// The first word of the path; the keys of `compare` are paths, and so one word.
std::string_view first_word(std::string_view section, std::string_view path) {
  return section == "compare" ? path : path.substr(0, path.find('.'));
}

bool put_in(YamlValue& section, const std::string& section_path, std::string_view path,
            YamlValue value, MapRule rule) {
  const std::string_view key = first_word(section_path, path);
  if (key.size() == path.size()) {
    const auto at = std::ranges::find(section.entries, key, &YamlEntry::key);
    const bool stays = rule == MapRule::replace && at != section.entries.end();
    const auto number = at - section.entries.begin();
    if (rule == MapRule::replace) section.erase(key);
    YamlValue change = yaml_value(YamlValue::Kind::map, value.place);
    change.entries.push_back({std::string(key), value.place, std::move(value)});
    merge(section_path, section, std::move(change));
    if (stays) {
      // The order of a comparison's axes is that of its rows.
      const auto last = section.entries.end() - 1;
      std::rotate(std::min(section.entries.begin() + number, last), last, section.entries.end());
    }
    return true;
  }
  const std::string inner_path = key_path(section_path, key);
  const std::string_view rest = path.substr(key.size() + 1);
  YamlEntry* inner = section.find(key);
  if (inner == nullptr) {
    YamlValue made = yaml_value(YamlValue::Kind::map, value.place);
    section.entries.push_back({std::string(key), value.place, std::move(made)});
    inner = &section.entries.back();
  }
  open_named_scheme(inner_path, inner->value);
  if (inner->value.kind != YamlValue::Kind::map) return false;
  return put_in(inner->value, inner_path, rest, std::move(value), rule);
}

}  // namespace

bool put(YamlValue& tree, std::string_view path, YamlValue value, MapRule rule) {
  YamlValue changed = tree;
  if (!put_in(changed, "", path, std::move(value), rule)) return false;
  tree = std::move(changed);
  return true;
}

}  // namespace evenkeel
