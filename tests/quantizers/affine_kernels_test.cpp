// Every instruction set that this machine has gives the codes of the scalar reference.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/affine.h"
#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr float epsilon = std::numeric_limits<float>::epsilon();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

using AffineKernels = support::EachTarget;

struct Case {
  AffineParameters parameters;
  CodeRange range;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> made;
    for (const int bits : {2, 4, 7, 8}) {
      for (const float step : {epsilon, 0.3F, 1.0F / 7.0F, 1.0F, 1e30F}) {
        for (const std::int32_t zero : {0, 1, (1 << bits) - 1}) {
          made.push_back({{step, zero}, code_range(bits, false)});
        }
        made.push_back({{step, 0}, code_range(bits, true)});
      }
    }
    return made;
  }();
  return all;
}

// Exact halves of both parities and their neighbours, values at and beyond every clamp, zeros,
// denormals, the largest floats, infinities, and random values of all magnitudes.
std::vector<float> hard_values(float step) {
  std::vector<float> values{0.0F,
                            -0.0F,
                            std::numeric_limits<float>::denorm_min(),
                            -std::numeric_limits<float>::denorm_min(),
                            std::numeric_limits<float>::min(),
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::lowest(),
                            infinity,
                            -infinity,
                            2147483648.0F * step,
                            -2147483648.0F * step,
                            8388608.0F * step};
  for (int half = -260; half <= 260; ++half) {
    const float value = (static_cast<float>(half) + 0.5F) * step;
    values.insert(values.end(),
                  {value, std::nextafter(value, infinity), std::nextafter(value, -infinity),
                   static_cast<float>(half) * step});
  }
  const Vector mantissas = support::random_vector(1000, 7, -300.0F, 300.0F);
  for (Index i = 0; i < 500; ++i) values.push_back(mantissas[i] * step);
  for (Index i = 500; i < 1000; ++i) {
    values.push_back(std::ldexp(mantissas[i], static_cast<int>(i % 240) - 140));
  }
  return values;
}

// Every length up to two of the longest vectors and a rest, at every alignment.
std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all(35);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST_P(AffineKernels, GiveTheCodesOfTheReference) {
  for (const auto& [parameters, range] : cases()) {
    const auto values = hard_values(parameters.step);
    std::vector<std::int16_t> codes(values.size());
    quantize(values, parameters, range, codes);
    std::vector<float> restored(values.size());
    dequantize(codes, parameters, restored);
    std::vector<float> faked = values;
    fake_quantize(faked, parameters, range);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int16_t expected = reference::quantize(values[i], parameters, range);
      ASSERT_EQ(codes[i], expected) << values[i] << " by " << parameters.step;
      const std::uint32_t back = bits_of(reference::dequantize(expected, parameters));
      ASSERT_EQ(bits_of(restored[i]), back) << values[i] << " by " << parameters.step;
      ASSERT_EQ(bits_of(faked[i]), back) << values[i] << " by " << parameters.step;
    }
  }
}

TEST_P(AffineKernels, TouchTheirSpanAndNothingElse) {
  constexpr AffineParameters parameters{1.0F, 1};
  constexpr CodeRange range{0, 3};
  for (const std::size_t length : lengths()) {
    for (const std::size_t first : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
      std::vector<float> values(first + length + 1, 1.25F);
      fake_quantize(std::span(values).subspan(first, length), parameters, range);
      std::vector<std::int16_t> codes(values.size(), 9);
      quantize(std::span(values).subspan(first, length), parameters, range,
               std::span(codes).subspan(first, length));
      std::vector<float> restored(values.size(), 1.25F);
      dequantize(std::span(codes).subspan(first, length), parameters,
                 std::span(restored).subspan(first, length));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool inside = i >= first && i < first + length;
        ASSERT_EQ(values[i], inside ? 1.0F : 1.25F);
        ASSERT_EQ(codes[i], inside ? 2 : 9);
        ASSERT_EQ(restored[i], inside ? 1.0F : 1.25F);
      }
    }
  }
}

TEST_P(AffineKernels, GiveEachElementItsOwnParameters) {
  constexpr CodeRange range{0, 15};
  for (const std::size_t length : lengths()) {
    std::vector<float> values(length);
    std::vector<float> steps(length);
    std::vector<std::int32_t> zero_points(length);
    for (std::size_t i = 0; i < length; ++i) {
      steps[i] = 0.25F * static_cast<float>(i + 1);
      zero_points[i] = static_cast<std::int32_t>(i % 16);
      values[i] = (static_cast<float>(i % 5) - 1.5F) * steps[i];
    }
    std::vector<float> faked = values;
    fake_quantize_each(faked, steps, zero_points, range);
    for (std::size_t i = 0; i < length; ++i) {
      const AffineParameters parameters{steps[i], zero_points[i]};
      ASSERT_EQ(faked[i], reference::dequantize(reference::quantize(values[i], parameters, range),
                                                parameters));
    }
  }
}

TEST_P(AffineKernels, KeepNaN) {
  constexpr CodeRange range{0, 255};
  for (const std::size_t place : {std::size_t{0}, std::size_t{16}, std::size_t{34}}) {
    std::vector<float> values(35, 2.0F);
    values[place] = nan;
    std::vector<std::int16_t> codes(values.size());
    quantize(values, {1.0F, 3}, range, codes);
    EXPECT_EQ(codes[place], 0);
    std::vector<float> each = values;
    fake_quantize(values, {1.0F, 3}, range);
    fake_quantize_each(each, std::vector<float>(35, 1.0F), std::vector<std::int32_t>(35, 3), range);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(std::isnan(values[i]), i == place);
      EXPECT_EQ(std::isnan(each[i]), i == place);
    }
    fake_quantize(values, affine_parameters({nan, nan}, 8, false), range);
    EXPECT_TRUE(std::ranges::all_of(values, [](float value) { return std::isnan(value); }));
  }
}

TEST_P(AffineKernels, FindTheRangeWhereverItsEndsLie) {
  for (std::size_t length = 1; length < 140; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      std::vector<float> values(length, -1.0F);
      values[place] = -3.0F;
      const Range low = range_of(values);
      ASSERT_EQ(low.low, -3.0F);
      ASSERT_EQ(low.high, length == 1 ? -3.0F : -1.0F);
      values[place] = 5.0F;
      ASSERT_EQ(range_of(values), (Range{length == 1 ? 5.0F : -1.0F, 5.0F}));
    }
  }
  EXPECT_EQ(range_of(std::vector<float>(40, 0.0F)), (Range{0.0F, 0.0F}));
}

TEST_P(AffineKernels, NeverLoseNaNOrInfinityInARange) {
  for (std::size_t length = 1; length < 140; length += 7) {
    for (std::size_t place = 0; place < length; ++place) {
      std::vector<float> values(length, 1.0F);
      values[place] = nan;
      Range range = range_of(values);
      ASSERT_TRUE(std::isnan(range.low) && std::isnan(range.high)) << length << " " << place;
      values[place] = -infinity;
      range = range_of(values);
      ASSERT_EQ(range.low, -infinity);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, AffineKernels, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
