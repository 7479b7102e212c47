// Codes that are not uniform: a codebook of fractions of the range's top, all in [0, 1].
//
// Source: 2^(-i/m) and two uniform ranges as in the literature on quantized attention
// probabilities (FQ-ViT, Lin et al. 2022; PTQ4ViT, Yuan et al. 2022), here for any m and split.
// Which integer kernels can run them: two_range is two integer products whose steps differ by
// `split`, a shift where split is a power of two; logarithmic with m = 1 is shifts alone, with m >
// 1 shifts of m integer partial sums (one each remainder of i / m); others look the values up.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "quantizers/scheme.h"

namespace evenkeel {

/// The values of a scheme's codes as fractions of the top, ascending, from 0 to 1, each once.
/// REQUIRES: scheme.codes != Codes::uniform, 2 <= bits <= 8, faults_of it empty.
std::vector<float> codebook_fractions(const TensorScheme& scheme);

/// The values of one range. Quantizing takes the nearest, exactly (not up to rounding), and the
/// smaller of two that are equally near; values below 0 become 0, beyond the top the top.
class Codebook {
 public:
  static constexpr std::size_t most_values = 256;

  /// Values are top * fraction in float32. A top that is NaN or infinite makes all NaN; one below 0
  /// counts as 0. REQUIRES: fractions as `codebook_fractions` gives.
  Codebook(std::span<const float> fractions, float top);

  /// In place; NaN stays NaN. Vectorised with Highway and dispatched at run time; every target
  /// gives what `reference::nearest` does.
  void fake_quantize(std::span<float> values) const;

  std::span<const float> values() const { return {values_.data(), size_}; }

 private:
  std::size_t size_;
  std::array<float, most_values> values_;      // beyond size_: unused
  std::array<float, most_values> thresholds_;  // x is above value i when x > thresholds_[i]
};

namespace reference {
/// The nearest by comparing distances in double, which are exact here for all but the widest
/// ratios.
float nearest(std::span<const float> ascending, float value);
}  // namespace reference

}  // namespace evenkeel
