#include "io/utf8.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace evenkeel {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t offset) {
  return static_cast<std::uint8_t>(text[offset]);
}

bool eight_ascii_bytes(std::string_view text, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + offset, sizeof word);
  return (word & 0x8080808080808080U) == 0;
}

// What may follow a lead byte (Unicode, Table 3-7). Only the second byte's range depends on it.
struct Sequence {
  std::size_t size;
  std::uint8_t second_low;
  std::uint8_t second_high;
};

std::optional<Sequence> sequence_of(std::uint8_t lead) {
  if (lead < 0x80) return Sequence{1, 0, 0};
  if (lead >= 0xC2 && lead <= 0xDF) return Sequence{2, 0x80, 0xBF};
  if (lead == 0xE0) return Sequence{3, 0xA0, 0xBF};
  if (lead == 0xED) return Sequence{3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return Sequence{3, 0x80, 0xBF};
  if (lead == 0xF0) return Sequence{4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return Sequence{4, 0x80, 0xBF};
  if (lead == 0xF4) return Sequence{4, 0x80, 0x8F};
  return std::nullopt;
}

bool valid_sequence(std::string_view text, std::size_t offset, const Sequence& sequence) {
  if (text.size() - offset < sequence.size) return false;
  if (sequence.size == 1) return true;
  const std::uint8_t second = byte_at(text, offset + 1);
  if (second < sequence.second_low || second > sequence.second_high) return false;
  for (std::size_t i = 2; i < sequence.size; ++i) {
    if ((byte_at(text, offset + i) & 0xC0U) != 0x80U) return false;
  }
  return true;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    while (text.size() - offset >= 8 && eight_ascii_bytes(text, offset)) offset += 8;
    if (offset == text.size()) break;
    const std::optional<Sequence> sequence = sequence_of(byte_at(text, offset));
    if (!sequence || !valid_sequence(text, offset, *sequence)) return offset;
    offset += sequence->size;
  }
  return std::nullopt;
}

char32_t utf8_at(std::string_view text, std::size_t offset) {
  const std::size_t size = utf8_size(text[offset]);
  if (size == 1) return byte_at(text, offset);
  constexpr std::array<std::uint8_t, 5> lead_bits = {0, 0, 0x1F, 0x0F, 0x07};
  char32_t character = byte_at(text, offset) & lead_bits.at(size);
  for (std::size_t i = 1; i < size; ++i) {
    character = (character << 6U) | (byte_at(text, offset + i) & 0x3FU);
  }
  return character;
}

std::size_t utf8_before(std::string_view text, std::size_t offset) {
  do {
    --offset;
  } while (offset > 0 && (byte_at(text, offset) & 0xC0U) == 0x80U);
  return offset;
}

void append_utf8(std::string& text, char32_t character) {
  const auto tail = [character](unsigned shift) {
    return static_cast<char>(0x80U | ((character >> shift) & 0x3FU));
  };
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += {static_cast<char>(0xC0U | (character >> 6U)), tail(0)};
  } else if (character < 0x10000) {
    text += {static_cast<char>(0xE0U | (character >> 12U)), tail(6), tail(0)};
  } else {
    text += {static_cast<char>(0xF0U | (character >> 18U)), tail(12), tail(6), tail(0)};
  }
}

bool is_white_space(char32_t character) {
  if (character <= 0x20) return character == 0x20 || (character >= 0x09 && character <= 0x0D);
  if (character >= 0x2000 && character <= 0x200A) return true;
  switch (character) {
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
      return true;
    default:
      return false;
  }
}

}  // namespace evenkeel
