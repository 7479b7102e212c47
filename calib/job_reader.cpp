#include "calib/job_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/job_keys.h"
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

/// The whole of `text` as a number; nothing for a sign "+", other bases, exponents where Number is
/// an integer, and what does not fit.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

/// 010 is eight to some readers of YAML and ten to others.
bool has_leading_zero(std::string_view digits) {
  if (digits.starts_with('-')) digits.remove_prefix(1);
  return digits.size() > 1 && digits.front() == '0';
}

template <typename Integer>
std::optional<Integer> integer_of(const YamlValue& value) {
  if (value.quoted || has_leading_zero(value.text)) return std::nullopt;
  return number_of<Integer>(value.text);
}

std::string hint_for_number(const YamlValue& value) {
  return value.quoted ? " in quotes; leave them out" : "";
}

}  // namespace

std::string Fault::text() const {
  const bool named_by_place = key.empty() || place.where == "--set " + key;
  return fmt::format("{}: {}{}", place.where, named_by_place ? "" : key + ": ", message);
}

void throw_faults(std::vector<Fault> faults) {
  if (faults.empty()) return;
  std::ranges::stable_sort(faults, {}, [](const Fault& fault) { return fault.place.order; });
  std::vector<std::string> lines;
  for (const Fault& fault : faults) {
    std::string line = fault.text();
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
  }
  throw UsageError(fmt::format("{}", fmt::join(lines, "\n")));
}

SectionReader::SectionReader(const YamlValue* section, const YamlPlace& place, std::string path,
                             std::vector<Fault>& faults)
    : section_(section),
      place_(section == nullptr ? place : section->place),
      path_(std::move(path)),
      faults_(&faults) {
  if (section_ == nullptr) return;
  if (section_->kind != YamlValue::Kind::map) {
    faults.push_back({Fault::Kind::wrong, section_->place, path_,
                      fmt::format("expected a section with the keys {}; got {}",
                                  fmt::join(known_keys(path_), ", "), described(*section_))});
    section_ = nullptr;
    return;
  }
  const auto& known = known_keys(path_);
  for (const auto& entry : section_->entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    faults.push_back({Fault::Kind::wrong, entry.place, key_path(path_, one_line(entry.key)),
                      "unknown key; " + advice_for_unknown_key(path_, entry.key)});
  }
}

SectionReader SectionReader::section(std::string_view key) const {
  return {find(key), place_, key_path(path_, key), *faults_};
}

const YamlValue* SectionReader::find(std::string_view key) const {
  const YamlEntry* entry = section_ == nullptr ? nullptr : section_->find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

const YamlValue* SectionReader::scalar(std::string_view key, std::string_view expected) const {
  const YamlValue* value = find(key);
  if (value == nullptr || value->kind == YamlValue::Kind::text) return value;
  const bool empty = value->kind == YamlValue::Kind::null;
  wrong(key, fmt::format("expected {}; got {}{}", expected, described(*value),
                         empty ? " (to take the default, leave the key out)" : ""));
  return nullptr;
}

std::optional<std::string> SectionReader::text(std::string_view key) const {
  const YamlValue* value = scalar(key, "text");
  if (value == nullptr) return std::nullopt;
  if (value->text.empty()) {
    wrong(key, "is empty");
    return std::nullopt;
  }
  return value->text;
}

std::optional<std::string> SectionReader::one_of(std::string_view key,
                                                 const std::vector<std::string>& names) const {
  const std::string supported = fmt::format("{}", fmt::join(names, ", "));
  const YamlValue* value = scalar(key, "one of " + supported);
  if (value == nullptr) return std::nullopt;
  if (std::ranges::find(names, value->text) != names.end()) return value->text;
  wrong(key, fmt::format("{} is not supported; supported: {}", described(*value), supported));
  return std::nullopt;
}

std::optional<std::vector<std::string>> SectionReader::texts(std::string_view key) const {
  const YamlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != YamlValue::Kind::list || value->items.empty()) {
    const bool text = value->kind == YamlValue::Kind::text;
    const bool list = value->kind == YamlValue::Kind::list;
    wrong(key, fmt::format("expected a list of at least one, such as [{}]; got {}",
                           text ? one_line(value->text) : "a.txt, b.txt",
                           list ? "an empty one" : described(*value)));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const YamlValue& item : value->items) {
    std::string message;
    if (item.kind != YamlValue::Kind::text || item.text.empty()) {
      message = fmt::format("expected text in the list; got {}", described(item));
    } else if (std::ranges::find(texts, item.text) != texts.end()) {
      message = fmt::format("{} is in the list twice", in_quotes(item.text));
    }
    if (!message.empty()) {
      faults_->push_back({Fault::Kind::wrong, item.place, key_path(path_, key), message});
      return std::nullopt;
    }
    texts.push_back(item.text);
  }
  return texts;
}

std::vector<SectionReader> SectionReader::sections(std::string_view key) const {
  const YamlValue* value = find(key);
  if (value == nullptr) return {};
  const std::string path = key_path(path_, key);
  if (value->kind != YamlValue::Kind::list || value->items.empty()) {
    const bool list = value->kind == YamlValue::Kind::list;
    wrong(key, fmt::format("expected a list of sections with the keys {}; got {}",
                           fmt::join(known_keys(path), ", "),
                           list ? "an empty one" : described(*value)));
    return {};
  }
  std::vector<SectionReader> sections;
  for (const YamlValue& item : value->items) {
    const SectionReader section(&item, place_, path, *faults_);
    if (item.kind == YamlValue::Kind::map) sections.push_back(section);
  }
  return sections;
}

std::optional<std::int64_t> SectionReader::integer(std::string_view key, std::int64_t low,
                                                   std::int64_t high) const {
  const std::string expected = fmt::format("an integer from {} to {}", low, high);
  const YamlValue* value = scalar(key, expected);
  if (value == nullptr) return std::nullopt;
  const auto number = integer_of<std::int64_t>(*value);
  if (number && *number >= low && *number <= high) return number;
  wrong(key, fmt::format("expected {} in decimal digits; got {}{}", expected, described(*value),
                         hint_for_number(*value)));
  return std::nullopt;
}

std::optional<std::uint64_t> SectionReader::unsigned_integer(std::string_view key) const {
  const std::string expected =
      fmt::format("an integer from 0 to {}", std::numeric_limits<std::uint64_t>::max());
  const YamlValue* value = scalar(key, expected);
  if (value == nullptr) return std::nullopt;
  const auto number = integer_of<std::uint64_t>(*value);
  if (!number) {
    wrong(key, fmt::format("expected {} in decimal digits; got {}{}", expected, described(*value),
                           hint_for_number(*value)));
  }
  return number;
}

std::optional<std::vector<std::uint64_t>> SectionReader::unsigned_integers(
    std::string_view key) const {
  const auto given = find(key) == nullptr ? std::nullopt : texts(key);
  if (!given) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  for (const YamlValue& item : find(key)->items) {
    const auto number = integer_of<std::uint64_t>(item);
    if (!number || std::ranges::find(numbers, *number) != numbers.end()) {
      wrong(key, fmt::format("expected integers from 0 to {} in decimal digits, each once; got {}",
                             std::numeric_limits<std::uint64_t>::max(), described(item)));
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<double> SectionReader::number(std::string_view key, double low, double high,
                                            std::string_view also) const {
  const std::string expected = fmt::format("a number from {} to {}{}", low, high, also);
  const YamlValue* value = scalar(key, expected);
  if (value == nullptr) return std::nullopt;
  const auto number = value->quoted ? std::nullopt : number_of<double>(value->text);
  if (number && *number >= low && *number <= high) return number;  // never for NaN
  wrong(key,
        fmt::format("expected {}; got {}{}", expected, described(*value), hint_for_number(*value)));
  return std::nullopt;
}

std::optional<bool> SectionReader::boolean(std::string_view key) const {
  const YamlValue* value = scalar(key, "true or false");
  if (value == nullptr) return std::nullopt;
  if (!value->quoted && value->text == "true") return true;
  if (!value->quoted && value->text == "false") return false;
  wrong(key, fmt::format("expected true or false; got {}{}", described(*value),
                         hint_for_number(*value)));
  return std::nullopt;
}

void SectionReader::wrong(std::string_view key, std::string message) const {
  add(Fault::Kind::wrong, key, std::move(message));
}

void SectionReader::missing(std::string_view key, std::string message) const {
  add(Fault::Kind::missing, key, std::move(message));
}

void SectionReader::idle(std::string_view key, std::string message) const {
  if (has(key)) add(Fault::Kind::idle, key, "cannot take effect: " + std::move(message));
}

void SectionReader::add(Fault::Kind kind, std::string_view key, std::string message) const {
  const YamlValue* value = find(key);
  faults_->push_back(
      {kind, value == nullptr ? place_ : value->place, key_path(path_, key), std::move(message)});
}

}  // namespace evenkeel
