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

/// out[i] = values[i] factors[i]; returns the range of these (NaN where one is NaN).
/// REQUIRES: equal sizes, at least one.
Range scaled_range(std::span<const float> values, std::span<const float> factors,
                   std::span<float> out);

/// out[i] = values[i] / divisors[i]. REQUIRES: equal sizes.
void quotients(std::span<const float> values, std::span<const float> divisors,
               std::span<float> out);

/// What rows of x [tokens, depth] have in common that were quantized alike.
struct InputTerms {
  float step;
  std::int32_t zero_point;
};

/// Of w, by output.
struct WeightTerms {
  std::span<const float> steps;
  std::span<const std::int32_t> terms;  // sum c_w - depth z_w
};

/// factors[j] = x.step w.steps[j], offsets[j] = x.zero_point w.terms[j] modulo 2^32.
/// REQUIRES: equal sizes.
void output_terms(const InputTerms& x, const WeightTerms& w, std::span<float> factors,
                  std::span<std::int32_t> offsets);

/// One row of products of codes, and what takes it to values (integer_linear.h), by output.
struct CodeSums {
  std::span<const std::int32_t> sums;  // sum c_x c_w
  std::int32_t sum;                    // of the codes of x
  std::span<const float> factors;
  std::span<const std::int32_t> offsets;
  std::span<const std::int32_t> zeros{};  // of w; empty: all are zero
  std::span<const float> bias{};          // empty: none
};

/// out[j] = factors[j] (sums[j] - zeros[j] sum - offsets[j]) + bias[j].
/// REQUIRES: equal sizes; the bracket fits 32 bits (its terms need not).
void values_of_sums(const CodeSums& row, std::span<float> out);

namespace reference {
/// x.step step (product - zero sum - x.zero_point term).
float value_of_sum(std::int32_t product, const InputTerms& x, std::int32_t sum, float step,
                   std::int32_t zero, std::int32_t term);
}  // namespace reference

}  // namespace evenkeel
