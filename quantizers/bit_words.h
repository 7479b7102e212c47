// Small unsigned numbers as runs of bits in little-endian 32-bit words: number i takes bits
// i * bits .. (i + 1) * bits - 1 of the run, lowest first, across word boundaries; the last word
// is filled up with zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace evenkeel {

/// Words that `count` numbers take. REQUIRES: 1 <= bits <= 8.
constexpr std::size_t words_of(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 31) / 32;
}

/// Ors number `index` of a run into its place. REQUIRES: number < 2^bits, the place in `run` is
/// zero, 1 <= bits <= 8.
void put_bits(std::span<std::byte> run, std::size_t index, int bits, unsigned number);

/// Number `index` of a run. REQUIRES: the place lies in `run`.
unsigned bits_at(std::span<const std::byte> run, std::size_t index, int bits);

}  // namespace evenkeel
