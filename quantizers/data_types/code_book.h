// Values to the codes of a code book and back: block by block, nearest code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace evenkeel {

/// Code i of a block whose constant is `absmax` means absmax * values()[i], in float32.
class CodeBook {
 public:
  static constexpr std::size_t most_values = 256;

  /// REQUIRES: 1 to 256 values, ascending (equal ones may follow each other), in [-1, 1].
  explicit CodeBook(std::vector<float> values);

  std::span<const float> values() const { return std::span(values_).first(size_); }

  /// The code whose meaning is nearest to each of `x`, exactly (not up to rounding; where two
  /// neighbours are more than 2^29 apart and neither is 0, up to 2^-53 of the larger), and of two
  /// meanings that are equally near the smaller; where absmax is 0, the code of 0 (or nearest to
  /// it). Vectorised with Highway and dispatched at run time; every target gives what
  /// `reference::nearest_code` does.
  /// REQUIRES: x finite, absmax finite and not negative, as many codes as values.
  void encode(std::span<const float> x, float absmax, std::span<std::uint8_t> codes) const;

  /// out[i] = absmax * values()[codes[i]] + mean, in float32. Vectorised likewise.
  /// REQUIRES: codes below values().size(), as many as places in `out`.
  void decode(std::span<const std::uint8_t> codes, float absmax, float mean,
              std::span<float> out) const;

 private:
  std::size_t size_;
  std::vector<float> values_;  // beyond size_: zeros
  // Middles of neighbouring values, behind one that is below all and before those that are above
  // all: the code of y is the number of thresholds below it.
  std::vector<float> thresholds_;
};

/// Of values that are finite; 0 of none. Vectorised likewise.
float largest_magnitude(std::span<const float> values);

namespace reference {
/// By comparing, in exact arithmetic, twice x with the sum of each two neighbours.
std::uint8_t nearest_code(std::span<const float> values, float absmax, float x);
}  // namespace reference

}  // namespace evenkeel
