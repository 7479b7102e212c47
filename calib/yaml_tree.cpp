#include "calib/yaml_tree.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::size_t deepest = 32;
constexpr std::size_t most_values = 10000;

/// Builds the tree from the parser's events; refuses as soon as a bound is passed, before the
/// parser recurses further.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlSource& source) : source_(source) {}

  YamlValue take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail(mark, "a second document starts here; a job is one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, yaml_value(YamlValue::Kind::null, place(mark)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias inside the value that it names");
    YamlValue copy = found->second;
    count(mark, size_of(copy));
    if (depth_of(copy) + open_.size() > deepest) fail_deep(mark);
    add(mark, YAML::NullAnchor, std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    YamlValue scalar = yaml_value(YamlValue::Kind::text, place(mark));
    scalar.text = value;
    scalar.quoted = tag == "!";
    add(mark, anchor, std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlValue::Kind::list);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlValue::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlValue value;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<std::pair<std::string, YamlPlace>> key;  // of a map: waits for its value
    YAML::Mark mark;
  };

  YamlPlace place(const YAML::Mark& mark) const {
    return {source_.where(mark.line), source_.first_order + (source_.has_lines ? mark.line : 0)};
  }

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view message) const {
    throw UsageError(fmt::format("{}: {}", place(mark).where, message));
  }

  [[noreturn]] void fail_deep(const YAML::Mark& mark) const {
    fail(mark, fmt::format("nested deeper than {}", deepest));
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    fail(mark, fmt::format("a tag ({}); a job needs none, leave it out", in_quotes(tag)));
  }

  void count(const YAML::Mark& mark, std::size_t more) {
    values_ += more;
    if (values_ > most_values) fail(mark, fmt::format("more than {} values", most_values));
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlValue::Kind kind) {
    refuse_tag(mark, tag);
    if (open_.size() >= deepest) fail_deep(mark);
    if (expects_key()) fail_key(mark);
    open_.push_back(
        {.value = yaml_value(kind, place(mark)), .anchor = anchor, .key = {}, .mark = mark});
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(closed.mark, closed.anchor, std::move(closed.value));
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().value.kind == YamlValue::Kind::map && !open_.back().key;
  }

  [[noreturn]] void fail_key(const YAML::Mark& mark) const {
    fail(mark, "a key must be one word of text, such as 'model:' (is a bracket not closed?)");
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlValue value) {
    count(mark, 1);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.kind == YamlValue::Kind::list) {
      parent.value.items.push_back(std::move(value));
    } else if (!parent.key) {
      add_key(mark, parent, value);
    } else {
      add_entry(parent, std::move(value));
    }
  }

  void add_key(const YAML::Mark& mark, Open& parent, const YamlValue& value) const {
    if (value.kind != YamlValue::Kind::text) fail_key(mark);
    if (const YamlEntry* first = parent.value.find(value.text)) {
      fail(mark,
           fmt::format("{}: given twice (first at {})", in_quotes(value.text), first->place.where));
    }
    parent.key.emplace(value.text, place(mark));
  }

  static void add_entry(Open& parent, YamlValue value) {
    auto& [key, key_place] = *parent.key;
    // The parser puts a missing value, and the start of an indented one, on the line after.
    if (value.kind != YamlValue::Kind::text) value.place = key_place;
    parent.value.entries.push_back({std::move(key), key_place, std::move(value)});
    parent.key.reset();
  }

  static std::size_t size_of(const YamlValue& value) {
    std::size_t size = 1;
    for (const auto& item : value.items) size += size_of(item);
    for (const auto& entry : value.entries) size += 1 + size_of(entry.value);
    return size;
  }

  static std::size_t depth_of(const YamlValue& value) {
    std::size_t depth = 0;
    for (const auto& item : value.items) depth = std::max(depth, depth_of(item));
    for (const auto& entry : value.entries) depth = std::max(depth, depth_of(entry.value));
    return depth + 1;
  }

  const YamlSource& source_;
  YamlValue root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlValue> anchors_;  // complete ones
  std::size_t values_ = 0;
  int documents_ = 0;
};

void emit(YAML::Emitter& out, const YamlValue& value) {
  switch (value.kind) {
    case YamlValue::Kind::null:
      out << YAML::Null;
      break;
    case YamlValue::Kind::text:
      if (value.quoted) out << YAML::DoubleQuoted;
      out << value.text;
      break;
    case YamlValue::Kind::list:
      if (std::ranges::all_of(value.items, [](const auto& item) { return item.items.empty(); })) {
        out << YAML::Flow;
      }
      out << YAML::BeginSeq;
      for (const auto& item : value.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case YamlValue::Kind::map:
      out << YAML::BeginMap;
      for (const auto& entry : value.entries) {
        out << YAML::Key << entry.key << YAML::Value;
        emit(out, entry.value);
      }
      out << YAML::EndMap;
      break;
  }
}

}  // namespace

const YamlEntry* YamlValue::find(std::string_view key) const {
  const auto found =
      std::ranges::find_if(entries, [key](const auto& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

YamlEntry* YamlValue::find(std::string_view key) {
  const auto found =
      std::ranges::find_if(entries, [key](const auto& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

void YamlValue::erase(std::string_view key) {
  std::erase_if(entries, [key](const auto& entry) { return entry.key == key; });
}

YamlValue parse_yaml(std::string_view text, const YamlSource& source) {
  refuse_bytes_that_yaml_drops(text, source);
  TreeBuilder builder(source);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw UsageError(not_yaml(text, source, error.mark.line, error.msg));
  }
  return builder.take();
}

YamlValue yaml_value(YamlValue::Kind kind, YamlPlace place) {
  YamlValue value;
  value.kind = kind;
  value.place = std::move(place);
  return value;
}

std::string described(const YamlValue& value) {
  switch (value.kind) {
    case YamlValue::Kind::null:
      return "no value";
    case YamlValue::Kind::text:
      return in_quotes(value.text);
    case YamlValue::Kind::list:
      return "a list";
    case YamlValue::Kind::map:
      return "a section";
  }
  return "";
}

std::string emit_yaml(const YamlValue& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace evenkeel
