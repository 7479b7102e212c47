#include "io/one_line.h"

#include <fmt/format.h>

namespace evenkeel {
namespace {

// The longest beginning of at most `size` bytes that does not end inside a UTF-8 sequence.
std::string_view beginning(std::string_view text, std::size_t size) {
  const auto continues = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U;
  };
  while (size > 0 && continues(size)) --size;
  return text.substr(0, size);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t longest) {
  const bool cut = text.size() > longest;
  std::string result;
  for (const char c : cut ? beginning(text, longest) : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  if (cut) result += "...";
  return result;
}

std::string in_quotes(std::string_view text) { return fmt::format("'{}'", one_line(text)); }

}  // namespace evenkeel
