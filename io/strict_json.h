// JSON from outside, read strictly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

namespace evenkeel {

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t json_depth_limit = 256;

/// The document, keys in the order of the text. Time and memory are linear in the text (an
/// ordered_json that grows by key is quadratic: a vocabulary has 250 000 keys).
/// `offset` is where the text begins in the file, for messages.
/// Throws: InputError with path and byte offset when the text is not JSON or not UTF-8; with the
/// key when an object names one twice; when it is nested deeper than `json_depth_limit`.
nlohmann::ordered_json parse_json(const std::filesystem::path& path, std::string_view text,
                                  std::uint64_t offset = 0);

}  // namespace evenkeel
