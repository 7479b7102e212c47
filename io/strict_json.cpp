#include "io/strict_json.h"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_reason = 250;  // of the library's message, which quotes the text

// Builds the document from the parser's events.
class Builder {
 public:
  Builder(const std::filesystem::path& path, std::uint64_t offset) : path_(path), offset_(offset) {}

  Json take() { return std::move(root_); }

  // The names and signatures below are those that nlohmann::json's sax_parse calls.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(Json::number_integer_t value) { return add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
  bool number_float(Json::number_float_t value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t& value) { return add(std::move(value)); }
  bool start_object(std::size_t /*elements*/) { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& value) {
    if (!open_.back().keys.insert(value).second) {
      throw InputError(fmt::format("{}: an object of the JSON text names {} twice; remove one",
                                   path_.string(), in_quotes(value)));
    }
    open_.back().key = std::move(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& error) {
    // what() is "[json.exception.NAME.NUMBER] parse error at line L, column C: REASON".
    std::string_view reason = error.what();
    for (const std::string_view before : {"] ", "parse error at "}) {
      const auto found = reason.find(before);
      if (found != std::string_view::npos) reason.remove_prefix(found + before.size());
    }
    throw InputError(fmt::format("{}: byte {}: not valid JSON ({}); download or export it again",
                                 path_.string(), offset_ + position, printable(reason)));
  }

 private:
  struct Open {
    Json* value = nullptr;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  // The reason quotes the text, which may not even be UTF-8.
  static std::string printable(std::string_view reason) {
    std::string ascii(reason);
    for (char& c : ascii) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return one_line(ascii, longest_reason);
  }

  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Open& parent = open_.back();
    if (parent.value->is_array()) {
      auto& array = parent.value->get_ref<Json::array_t&>();
      return &array.emplace_back(std::move(value));
    }
    // emplace_back is the underlying vector's: the key is known to be new.
    auto& object = parent.value->get_ref<Json::object_t&>();
    return &object.emplace_back(std::move(parent.key), std::move(value)).second;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (open_.size() == json_depth_limit) {
      throw InputError(
          fmt::format("{}: the JSON text is nested deeper than {}; it is not what its "
                      "name says, download or export it again",
                      path_.string(), json_depth_limit));
    }
    Json* const value = place(std::move(container));
    open_.emplace_back().value = value;
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::filesystem::path& path_;
  std::uint64_t offset_;
  Json root_;
  // Containers not yet closed, outermost first. The pointers hold: nothing is added to a container
  // while one inside it is open.
  std::vector<Open> open_;
};

}  // namespace

Json parse_json(const std::filesystem::path& path, std::string_view text, std::uint64_t offset) {
  // The library takes a NUL for the end and would not see what follows it.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    throw InputError(
        fmt::format("{}: byte {}: not valid JSON (a NUL byte); download or export it "
                    "again",
                    path.string(), offset + nul));
  }
  Builder builder(path, offset);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace evenkeel
