#include "io/label_names.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* by_class = "id2label";
constexpr const char* by_name = "label2id";

[[noreturn]] void refuse(const JsonReader& config, std::string_view key,
                         const std::string& message) {
  throw InputError(fmt::format("{}: '{}': {}", config.path().string(), key, message));
}

const Json* mapping(const JsonReader& config, const char* key) {
  if (!config.has(key)) return nullptr;
  const Json& value = config.document().at(key);
  if (!value.is_object()) refuse(config, key, "expected an object of labels");
  return &value;
}

void set_name(const JsonReader& config, const char* key, std::optional<std::int64_t> label,
              const std::string& name, std::vector<std::string>& names) {
  const auto count = static_cast<std::int64_t>(names.size());
  if (!label || *label < 0 || *label >= count) {
    refuse(config, key,
           fmt::format("{} is none of the classes 0 to {}", in_quotes(name), count - 1));
  }
  if (name.empty() || std::ranges::count(names, name) > 0) {
    refuse(config, key, fmt::format("{} names two classes, or none", in_quotes(name)));
  }
  std::string& place = names[static_cast<std::size_t>(*label)];
  if (!place.empty()) refuse(config, key, fmt::format("class {} has two names", *label));
  place = name;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> names_by_class(const JsonReader& config, const Json& labels,
                                        std::size_t count) {
  std::vector<std::string> names(count);
  for (const auto& [key, name] : labels.items()) {
    if (!name.is_string()) {
      refuse(config, by_class, fmt::format("{}: expected a name", in_quotes(key)));
    }
    set_name(config, by_class, number_of(key), name.get<std::string>(), names);
  }
  return names;
}

std::vector<std::string> names_by_name(const JsonReader& config, const Json& labels,
                                       std::size_t count) {
  std::vector<std::string> names(count);
  for (const auto& [name, label] : labels.items()) {
    set_name(config, by_name,
             label.is_number_integer() ? std::optional(label.get<std::int64_t>()) : std::nullopt,
             name, names);
  }
  return names;
}

void require_all(const JsonReader& config, const char* key, const std::vector<std::string>& names) {
  const auto absent = std::ranges::find(names, "");
  if (absent == names.end()) return;
  refuse(config, key,
         fmt::format("class {} of {} has no name", absent - names.begin(), names.size()));
}

std::string numbered_name(Index label) { return fmt::format("LABEL_{}", label); }

}  // namespace

LabelNames::LabelNames(const JsonReader& config, Index count) {
  const auto size = static_cast<std::size_t>(count);
  const Json* const classes = mapping(config, by_class);
  const Json* const labels = mapping(config, by_name);
  if (classes != nullptr) {
    names_ = names_by_class(config, *classes, size);
    require_all(config, by_class, names_);
  }
  if (labels != nullptr) {
    std::vector<std::string> names = names_by_name(config, *labels, size);
    require_all(config, by_name, names);
    if (classes != nullptr && names != names_) {
      refuse(config, by_name, fmt::format("contradicts '{}'; make them agree", by_class));
    }
    names_ = std::move(names);
  }
  for (auto label = static_cast<Index>(names_.size()); label < count; ++label) {
    names_.push_back(numbered_name(label));
  }
}

bool LabelNames::only_numbered() const {
  for (Index label = 0; label < count(); ++label) {
    if (name(label) != numbered_name(label)) return false;
  }
  return true;
}

std::optional<Index> LabelNames::named(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  if (found == names_.end()) return std::nullopt;
  return found - names_.begin();
}

}  // namespace evenkeel
