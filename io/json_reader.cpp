#include "io/json_reader.h"

#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::string describe(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  return one_line(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

[[noreturn]] void wrong_type(const std::filesystem::path& path, std::string_view key,
                             std::string_view expected, const Json& actual) {
  throw InputError(fmt::format("{}: {}: expected {}, got {}", path.string(), in_quotes(key),
                               expected, describe(actual)));
}

[[noreturn]] void absent(const std::filesystem::path& path, std::string_view key,
                         std::string_view expected) {
  throw InputError(
      fmt::format("{}: {} is missing: expected {}", path.string(), in_quotes(key), expected));
}

std::optional<std::int64_t> integer_of(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return value.get<std::int64_t>();
}

constexpr std::string_view positive_integer = "a positive integer below 2^31";
constexpr std::string_view string_value = "a string";
constexpr std::string_view truth_value = "true or false";

std::int64_t positive_of(const std::filesystem::path& path, std::string_view key,
                         const Json& value) {
  const auto integer = integer_of(value);
  if (!integer || *integer < 1 || *integer > std::numeric_limits<std::int32_t>::max()) {
    wrong_type(path, key, positive_integer, value);
  }
  return *integer;
}

bool boolean_of(const std::filesystem::path& path, std::string_view key, const Json& value) {
  if (!value.is_boolean()) wrong_type(path, key, truth_value, value);
  return value.get<bool>();
}

std::string text_of(const std::filesystem::path& path, std::string_view key, const Json& value) {
  if (!value.is_string()) wrong_type(path, key, string_value, value);
  return value.get<std::string>();
}

}  // namespace

JsonReader::JsonReader(const std::filesystem::path& path)
    : JsonReader(path, parse_json(path, MappedFile(path).text())) {}

JsonReader::JsonReader(std::filesystem::path path, Json document)
    : path_(std::move(path)), document_(std::move(document)) {
  if (!document_.is_object()) {
    throw InputError(fmt::format("{}: expected a JSON object, got {}; it is not what its name says",
                                 path_.string(), describe(document_)));
  }
}

const Json* JsonReader::find(std::string_view key) const {
  const Json* value = &document_;
  std::size_t begin = 0;
  while (begin <= key.size()) {
    if (!value->is_object()) wrong_type(path_, key.substr(0, begin - 1), "an object", *value);
    const std::size_t end = std::min(key.find('.', begin), key.size());
    const auto member = value->find(std::string(key.substr(begin, end - begin)));
    if (member == value->end() || member->is_null()) return nullptr;
    value = &*member;
    begin = end + 1;
  }
  return value;
}

bool JsonReader::has(std::string_view key) const { return find(key) != nullptr; }

std::int64_t JsonReader::positive(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) absent(path_, key, positive_integer);
  return positive_of(path_, key, *value);
}

std::int64_t JsonReader::positive(std::string_view key, std::int64_t otherwise) const {
  const Json* const value = find(key);
  return value == nullptr ? otherwise : positive_of(path_, key, *value);
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t otherwise) const {
  const Json* const value = find(key);
  if (value == nullptr) return otherwise;
  const auto integer = integer_of(*value);
  if (!integer) wrong_type(path_, key, "an integer", *value);
  return *integer;
}

double JsonReader::number(std::string_view key, double otherwise) const {
  const Json* const value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) wrong_type(path_, key, "a number", *value);
  return value->get<double>();
}

bool JsonReader::boolean(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) absent(path_, key, truth_value);
  return boolean_of(path_, key, *value);
}

bool JsonReader::boolean(std::string_view key, bool otherwise) const {
  const Json* const value = find(key);
  return value == nullptr ? otherwise : boolean_of(path_, key, *value);
}

std::string JsonReader::text(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) absent(path_, key, string_value);
  return text_of(path_, key, *value);
}

std::string JsonReader::text(std::string_view key, std::string_view otherwise) const {
  const Json* const value = find(key);
  return value == nullptr ? std::string(otherwise) : text_of(path_, key, *value);
}

}  // namespace evenkeel
