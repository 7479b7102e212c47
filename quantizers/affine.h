// Affine integer quantization: code = clamp(round(x / step) + zero_point, low, high), half to
// even, true division; x is then step * (code - zero_point). `step` multiplies when dequantizing.
//
// Source: the conventions of Outlier Suppression+ (Wei et al. 2023), which are PyTorch's:
//   asymmetric: lo = min(0, min), hi = max(0, max), step = (hi - lo) / (2^b - 1),
//               zero_point = clamp(-round(lo / step), 0, 2^b - 1), codes 0 .. 2^b - 1;
//   symmetric:  step = max(-lo, hi) / (2^(b-1) - 1), zero_point = 0,
//               codes -(2^(b-1) - 1) .. 2^(b-1) - 1;
//   step is at least float epsilon. All in float32.
//
// Kernels are pure functions on caller-owned memory, vectorised with Highway and dispatched at
// run time; every target gives the same codes as the scalar reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "io/matrix.h"

namespace evenkeel {

struct CodeRange {
  int low = 0;
  int high = 255;
  bool operator==(const CodeRange&) const = default;
};

struct AffineParameters {
  float step = 1.0F;
  std::int32_t zero_point = 0;
  bool operator==(const AffineParameters&) const = default;
};

/// The smallest and largest of some values. A range that saw NaN has low = high = NaN, and stays so
/// however it is widened.
struct Range {
  float low = 0.0F;
  float high = 0.0F;
  bool operator==(const Range&) const = default;
};

/// REQUIRES: 2 <= bits <= 8.
CodeRange code_range(int bits, bool symmetric);

/// A range that is not finite gives step = NaN and zero point 0, so that whatever is fake-quantized
/// with it is NaN and is noticed. REQUIRES: 2 <= bits <= 8.
AffineParameters affine_parameters(Range range, int bits, bool symmetric);

/// Smallest and largest value; NaN when any value is NaN. REQUIRES: values not empty.
Range range_of(std::span<const float> values);
/// The same over a whole matrix. REQUIRES: values not empty.
Range range_of_matrix(const ConstMatrixView& values);
/// The range of the values of both.
Range widened(Range a, Range b);

/// One row of a matrix as a span.
inline std::span<const float> row_of(const ConstMatrixView& values, Index row) {
  return {values.data() + row * values.outerStride(), static_cast<std::size_t>(values.cols())};
}
inline std::span<float> row_of(MatrixView& values, Index row) {
  return {values.data() + row * values.outerStride(), static_cast<std::size_t>(values.cols())};
}

/// codes[i] of values[i]; an infinity takes the outermost code and NaN the lowest.
/// REQUIRES: equal sizes.
void quantize(std::span<const float> values, AffineParameters parameters, CodeRange range,
              std::span<std::int16_t> codes);

/// values[i] = step * (codes[i] - zero_point). REQUIRES: equal sizes.
void dequantize(std::span<const std::int16_t> codes, AffineParameters parameters,
                std::span<float> values);

/// quantize then dequantize, in place; NaN stays NaN.
void fake_quantize(std::span<float> values, AffineParameters parameters, CodeRange range);

/// The same with parameters of its own for each element (a row of channels).
/// REQUIRES: values.size() == steps.size() == zero_points.size().
void fake_quantize_each(std::span<float> values, std::span<const float> steps,
                        std::span<const std::int32_t> zero_points, CodeRange range);

// The scalar reference of the kernels above: what tests compare with.
namespace reference {
std::int16_t quantize(float value, AffineParameters parameters, CodeRange range);
float dequantize(std::int16_t code, AffineParameters parameters);
}  // namespace reference

}  // namespace evenkeel
