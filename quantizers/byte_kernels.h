// The vectorised steps between floats and products of codes in bytes. Like those of affine.h: pure
// functions on caller-owned memory, the same on every target.
#pragma once

#include <cstdint>
#include <span>

#include "quantizers/affine.h"

namespace evenkeel {

/// codes[i] = code of values[i] (affine.h) - offset; returns their sum.
/// REQUIRES: equal sizes; the range less the offset fits the type.
std::int32_t byte_codes(std::span<const float> values, AffineParameters parameters, CodeRange range,
                        int offset, std::span<std::uint8_t> codes);
std::int32_t byte_codes(std::span<const float> values, AffineParameters parameters, CodeRange range,
                        int offset, std::span<std::int8_t> codes);

/// One row of products of codes, and what takes it to values (integer_linear.h).
struct CodeSums {
  std::span<const std::int32_t> sums;   // sum c_x c_w, by output
  float step;                           // of x
  std::int32_t zero_point;              // likewise
  std::int32_t sum;                     // of the codes of x
  std::span<const float> steps;         // of w, by output
  std::span<const std::int32_t> zeros;  // likewise
  std::span<const std::int32_t> terms;  // sum c_w - depth z_w
  std::span<const float> bias{};        // by output; empty: none
};

/// out[j] = step steps[j] (sums[j] - zeros[j] sum - zero_point terms[j]) + bias[j].
/// REQUIRES: equal sizes; the bracket fits 32 bits (its terms need not).
void values_of_sums(const CodeSums& row, std::span<float> out);

namespace reference {
float value_of_sum(const CodeSums& row, std::size_t output);
}  // namespace reference

}  // namespace evenkeel
