// The byte-level alphabet of GPT-2: a printable character for each of the 256 byte values, so that
// a vocabulary of text can spell any bytes (Radford et al. 2019; `bytes_to_unicode` of its code).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

/// The character that stands for `byte`, as UTF-8. Printable Latin-1 stands for itself; the other
/// 68 bytes, in order, are U+0100 onwards (space is U+0120).
const std::string& byte_level_symbol(std::uint8_t byte);

/// `bytes` spelt in the alphabet.
std::string to_byte_level(std::string_view bytes);

/// The bytes that `symbols` spell; nothing when a character is not of the alphabet.
/// REQUIRES: valid UTF-8.
std::optional<std::string> from_byte_level(std::string_view symbols);

}  // namespace evenkeel
