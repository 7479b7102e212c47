#include "quantizers/affine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>

namespace evenkeel {

CodeRange code_range(int bits, bool symmetric) {
  assert(bits >= 2 && bits <= 8);
  if (symmetric) {
    const int high = (1 << (bits - 1)) - 1;
    return {-high, high};
  }
  return {0, (1 << bits) - 1};
}

AffineParameters affine_parameters(Range range, int bits, bool symmetric) {
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
    return {std::numeric_limits<float>::quiet_NaN(), 0};
  }
  const CodeRange codes = code_range(bits, symmetric);
  const float low = std::min(0.0F, range.low);
  const float high = std::max(0.0F, range.high);
  const auto levels = static_cast<float>(codes.high);
  const float smallest = std::numeric_limits<float>::epsilon();
  if (symmetric) return {std::max(std::max(-low, high) / levels, smallest), 0};

  float step = (high - low) / levels;
  // The width of a finite range can overflow; the step itself cannot.
  if (std::isinf(step)) step = high / levels - low / levels;
  step = std::max(step, smallest);
  const float zero = std::clamp(-std::nearbyint(low / step), 0.0F, levels);
  return {step, static_cast<std::int32_t>(zero)};
}

Range widened(Range a, Range b) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  if (std::isnan(a.low) || std::isnan(b.low)) return {nan, nan};
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Range range_of_matrix(const ConstMatrixView& values) {
  assert(values.size() > 0);
  Range range = range_of(row_of(values, 0));
  for (Index row = 1; row < values.rows(); ++row) {
    range = widened(range, range_of(row_of(values, row)));
  }
  return range;
}

namespace reference {

std::int16_t quantize(float value, AffineParameters parameters, CodeRange range) {
  // Clamped before the conversion: a quotient may be beyond any integer.
  const float code =
      std::nearbyint(value / parameters.step) + static_cast<float>(parameters.zero_point);
  const auto low = static_cast<float>(range.low);
  const float raised = code >= low ? code : low;
  return static_cast<std::int16_t>(std::min(raised, static_cast<float>(range.high)));
}

float dequantize(std::int16_t code, AffineParameters parameters) {
  return parameters.step * static_cast<float>(code - parameters.zero_point);
}

}  // namespace reference
}  // namespace evenkeel
