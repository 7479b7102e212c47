// Small unsigned numbers, several to a 32-bit word: what the "pack-quantized" form of
// quantizers/packing.h stores codes and zero points in.
//
// A lane is one row of the numbers, or one column; its number i takes bits i * b .. i * b + b - 1
// of the lane's words, lowest first. Each lane begins a word, and the bits left over in its last
// one are 0. b divides 8, so that no number lies in two bytes. Words are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// Which numbers of a matrix share words: neighbours in a row, or in a column.
enum class Lanes { rows, columns };

/// Numbers [rows, columns], row-major, of `bits` each.
struct CodeWords {
  Index rows = 0;
  Index columns = 0;
  int bits = 8;  // 4 or 8
  Lanes lanes = Lanes::rows;

  /// Words as they are stored, row-major: [rows, words of a row], or [words of a column, columns].
  std::vector<std::int64_t> shape() const;
};

/// Bytes of the words. REQUIRES: rows * columns numbers below 2^bits.
std::vector<std::byte> pack_words(std::span<const std::uint8_t> numbers, const CodeWords& layout);

/// The inverse; nothing when a bit that belongs to no number is set.
/// REQUIRES: as many bytes as `shape` takes.
std::optional<std::vector<std::uint8_t>> unpack_words(std::span<const std::byte> bytes,
                                                      const CodeWords& layout);

}  // namespace evenkeel
