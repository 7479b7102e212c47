#include "quantizers/bit_words.h"

#include <cassert>
#include <cstddef>
#include <span>

namespace evenkeel {

// The bytes of little-endian words are one run of bits themselves, so that words never appear. A
// number of at most 8 bits touches at most two bytes.

void put_bits(std::span<std::byte> run, std::size_t index, int bits, unsigned number) {
  assert(bits >= 1 && bits <= 8 && number < (1U << static_cast<unsigned>(bits)));
  const std::size_t first = index * static_cast<std::size_t>(bits);
  const unsigned placed = number << (first % 8);
  run[first / 8] |= static_cast<std::byte>(placed & 0xFFU);
  if (placed > 0xFFU) run[first / 8 + 1] |= static_cast<std::byte>(placed >> 8U);
}

unsigned bits_at(std::span<const std::byte> run, std::size_t index, int bits) {
  assert(bits >= 1 && bits <= 8);
  const std::size_t first = index * static_cast<std::size_t>(bits);
  auto pair = std::to_integer<unsigned>(run[first / 8]);
  if (first % 8 + static_cast<std::size_t>(bits) > 8) {
    pair |= std::to_integer<unsigned>(run[first / 8 + 1]) << 8U;
  }
  return (pair >> (first % 8)) & ((1U << static_cast<unsigned>(bits)) - 1U);
}

}  // namespace evenkeel
