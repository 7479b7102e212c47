// UTF-8 as the tokenizer needs it: is this text valid, which character is here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

/// U+FEFF, with which some programs begin a file.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Offset of the first byte that is not part of a well-formed sequence (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF), if any.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

inline bool is_ascii(char byte) { return (static_cast<unsigned char>(byte) & 0x80U) == 0; }

/// Bytes of the sequence that `lead` opens. REQUIRES: `lead` opens a valid sequence.
inline std::size_t utf8_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

/// The character at `offset`. REQUIRES: valid UTF-8, `offset` on a character's first byte.
char32_t utf8_at(std::string_view text, std::size_t offset);

/// Offset of the character that ends before `offset`. REQUIRES: valid UTF-8, offset > 0.
std::size_t utf8_before(std::string_view text, std::size_t offset);

void append_utf8(std::string& text, char32_t character);

/// The Unicode property White_Space.
bool is_white_space(char32_t character);

}  // namespace evenkeel
