#include "io/byte_level.h"

#include <array>
#include <cstddef>

#include "io/utf8.h"

namespace evenkeel {
namespace {

constexpr std::size_t byte_values = 256;
constexpr std::size_t moved_bytes = 68;  // bytes that are not printable Latin-1

struct Alphabet {
  std::array<std::string, byte_values> symbols;
  std::array<std::optional<std::uint8_t>, byte_values + moved_bytes> bytes;  // by code point
};

bool printable_latin1(std::size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

Alphabet make_alphabet() {
  Alphabet alphabet;
  std::size_t next_moved = byte_values;
  for (std::size_t byte = 0; byte < byte_values; ++byte) {
    const std::size_t character = printable_latin1(byte) ? byte : next_moved++;
    append_utf8(alphabet.symbols.at(byte), static_cast<char32_t>(character));
    alphabet.bytes.at(character) = static_cast<std::uint8_t>(byte);
  }
  return alphabet;
}

const Alphabet& alphabet() {
  static const Alphabet made = make_alphabet();
  return made;
}

}  // namespace

const std::string& byte_level_symbol(std::uint8_t byte) { return alphabet().symbols.at(byte); }

std::string to_byte_level(std::string_view bytes) {
  std::string symbols;
  symbols.reserve(2 * bytes.size());
  for (const char byte : bytes) symbols += byte_level_symbol(static_cast<std::uint8_t>(byte));
  return symbols;
}

std::optional<std::string> from_byte_level(std::string_view symbols) {
  std::string bytes;
  for (std::size_t i = 0; i < symbols.size(); i += utf8_size(symbols[i])) {
    const char32_t character = utf8_at(symbols, i);
    if (character >= alphabet().bytes.size()) return std::nullopt;
    const std::optional<std::uint8_t> byte = alphabet().bytes.at(character);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

}  // namespace evenkeel
