// Codes in bytes and the way back from their products, on every instruction set that this machine
// has, against the scalar references: to the bit.
#include "quantizers/byte_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
// Some of the longest vectors and every rest.
constexpr std::size_t longest = 67;

using ByteKernels = support::EachTarget;

// Inside and far outside the range of codes, on halves, and no numbers at all; `start` says which
// come first, so that each stands in vectors and in rests.
std::vector<float> values_of(std::size_t size, std::size_t start, float step) {
  const Vector random = support::random_vector(static_cast<Index>(longest), 3, -300.0F, 300.0F);
  std::vector<float> values;
  for (std::size_t i = 0; i < size; ++i) {
    const auto whole = static_cast<float>(static_cast<int>((start + i) % 19) - 9);
    switch ((start + i) % 7) {
      case 0:
        values.push_back(nan);
        break;
      case 1:
        values.push_back(infinity);
        break;
      case 2:
        values.push_back(-infinity);
        break;
      case 3:
        values.push_back((whole + 0.5F) * step);
        break;
      case 4:
        values.push_back(whole * 1e30F);
        break;
      default:
        values.push_back(random[static_cast<Index>(i)] * step);
    }
  }
  return values;
}

template <class Byte>
void expect_codes(AffineParameters parameters, CodeRange range, int offset) {
  for (std::size_t size = 0; size <= longest; ++size) {
    const std::vector<float> values = values_of(size, size % 7, 0.37F);
    std::vector<Byte> codes(size + 1, Byte{99});
    const std::int32_t sum =
        byte_codes(values, parameters, range, offset, std::span(codes).first(size));
    std::int64_t expected_sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const int expected = reference::quantize(values[i], parameters, range) - offset;
      ASSERT_EQ(int{codes[i]}, expected) << values[i] << " at " << i << " of " << size;
      if (std::isnan(values[i])) {
        ASSERT_EQ(expected, range.low - offset);
      }
      expected_sum += expected;
    }
    ASSERT_EQ(sum, expected_sum) << size;
    ASSERT_EQ(codes.back(), Byte{99}) << "written beyond the end";
  }
}

TEST_P(ByteKernels, UnsignedCodesAreTheReferencesLessTheOffset) {
  for (const int bits : {2, 5, 8}) {
    const CodeRange range = code_range(bits, false);
    for (const std::int32_t zero : {0, 1, range.high}) {
      expect_codes<std::uint8_t>({0.37F, zero}, range, 0);
    }
    // As symmetric activations are stored: from the lowest code on.
    const CodeRange symmetric = code_range(bits, true);
    expect_codes<std::uint8_t>({0.37F, 0}, symmetric, symmetric.low);
  }
}

TEST_P(ByteKernels, SignedCodesAreTheReferencesLessTheOffset) {
  for (const int bits : {2, 5, 8}) {
    expect_codes<std::int8_t>({0.37F, 0}, code_range(bits, true), 0);
    // As asymmetric weights are stored: about the middle.
    const CodeRange range = code_range(bits, false);
    for (const std::int32_t zero : {0, 1, range.high}) {
      expect_codes<std::int8_t>({0.37F, zero}, range, 1 << (bits - 1));
    }
  }
}

// A range that is not finite has no step, and every quotient is NaN.
TEST_P(ByteKernels, WithoutAStepEveryCodeIsTheLowest) {
  const AffineParameters none = affine_parameters({-infinity, 1.0F}, 8, false);
  ASSERT_TRUE(std::isnan(none.step));
  expect_codes<std::int8_t>(none, code_range(8, false), 128);
  expect_codes<std::uint8_t>(none, code_range(8, false), 0);
}

// Longer than a lane of bytes or of 16 bits could count.
TEST_P(ByteKernels, SumsOfLongRowsAreExact) {
  const std::vector<float> ones(32769, 1.0F);
  std::vector<std::uint8_t> codes(ones.size());
  EXPECT_EQ(byte_codes(ones, {1.0F / 255.0F, 0}, {0, 255}, 0, codes), 255 * 32769);
  std::vector<std::int8_t> bytes(ones.size());
  EXPECT_EQ(byte_codes(ones, {1.0F, 0}, {0, 255}, 128, bytes), -127 * 32769);
}

// The products of a row, with the vectors that its spans are of.
struct Row {
  std::vector<std::int32_t> sums, zeros, terms;
  std::vector<float> steps, bias;
  InputTerms input{0.0123F, 0};
  std::int32_t sum = 0;

  std::vector<float> values(bool with_zeros, bool biased) const {
    const std::size_t size = sums.size();
    std::vector<float> factors(size + 1, 77.0F);
    std::vector<std::int32_t> offsets(size + 1, 77);
    output_terms(input, {steps, terms}, std::span(factors).first(size),
                 std::span(offsets).first(size));
    EXPECT_EQ(factors.back(), 77.0F) << "written beyond the end";
    EXPECT_EQ(offsets.back(), 77) << "written beyond the end";
    CodeSums row{sums, sum, std::span(factors).first(size), std::span(offsets).first(size)};
    if (with_zeros) row.zeros = zeros;
    if (biased) row.bias = bias;
    std::vector<float> out(size + 1, 77.0F);
    values_of_sums(row, std::span(out).first(size));
    EXPECT_EQ(out.back(), 77.0F) << "written beyond the end";
    out.pop_back();
    return out;
  }

  float expected(std::size_t i, bool with_zeros, bool biased) const {
    const float value =
        reference::value_of_sum(sums[i], input, sum, steps[i], with_zeros ? zeros[i] : 0, terms[i]);
    return biased ? value + bias[i] : value;
  }
};

// Products as large as they come, of which little is left: each bracket is any 32 bits, and what it
// is made of is not. `wrapped` counts those.
Row large_row(std::size_t size, bool with_zeros, std::size_t& wrapped) {
  std::mt19937 random(static_cast<std::uint32_t>(size));
  const auto any = [&] { return static_cast<std::int32_t>(random()); };
  Row row;
  row.input.zero_point = -251;
  row.sum = 255 * 32768;
  const Vector floats = support::random_vector(static_cast<Index>(2 * size + 1), 9);
  for (std::size_t i = 0; i < size; ++i) {
    row.sums.push_back(any());
    row.zeros.push_back(any() % 500);
    const std::int64_t left = with_zeros ? std::int64_t{row.zeros.back()} * row.sum : 0;
    // The bracket is then `wanted`, but for less than the zero point.
    const std::int64_t wanted = any() / 2;
    const std::int64_t right = row.sums.back() - left - wanted;
    row.terms.push_back(static_cast<std::int32_t>(right / row.input.zero_point));
    const std::int64_t term = std::int64_t{row.terms.back()} * row.input.zero_point;
    for (const std::int64_t part : {left, term, left + term}) {
      if (part != static_cast<std::int32_t>(part)) ++wrapped;
    }
    row.steps.push_back(floats[static_cast<Index>(2 * i)]);
    row.bias.push_back(floats[static_cast<Index>(2 * i + 1)] * 1e5F);
  }
  return row;
}

TEST_P(ByteKernels, ValuesOfSumsAreTheReferencesBitForBit) {
  std::size_t wrapped = 0;
  for (std::size_t size = 0; size <= longest; ++size) {
    for (const bool with_zeros : {false, true}) {
      const Row row = large_row(size, with_zeros, wrapped);
      for (const bool biased : {false, true}) {
        const std::vector<float> out = row.values(with_zeros, biased);
        for (std::size_t i = 0; i < size; ++i) {
          ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]),
                    std::bit_cast<std::uint32_t>(row.expected(i, with_zeros, biased)))
              << i << " of " << size << (biased ? ", with bias" : "");
        }
      }
    }
  }
  EXPECT_GT(wrapped, longest);  // otherwise the test says less than it should
}

// By hand: 0.5 * 0.25 * (100 - 3 * 7 - 2 * 4) = 0.125 * 71.
TEST(ByteKernelsReference, IsTheFormula) {
  EXPECT_EQ(reference::value_of_sum(100, {0.5F, 2}, 7, 0.25F, 3, 4), 8.875F);
}

// Ones stand for scales that leave a channel alone, in whole vectors and among others.
TEST_P(ByteKernels, QuotientsAreThoseOfADivision) {
  for (std::size_t size = 0; size <= longest; ++size) {
    for (const std::size_t ones : {std::size_t{0}, size / 2, size}) {
      const std::vector<float> values = values_of(size, size % 7, 0.37F);
      const Vector random = support::random_vector(static_cast<Index>(longest), 4, 1.0F, 9.0F);
      std::vector<float> divisors(random.data(), random.data() + size);
      std::fill_n(divisors.begin(), ones, 1.0F);
      std::vector<float> out(size + 1, 77.0F);
      quotients(values, divisors, std::span(out).first(size));
      for (std::size_t i = 0; i < size; ++i) {
        const float expected = values[i] / divisors[i];
        if (std::isnan(expected)) {
          ASSERT_TRUE(std::isnan(out[i])) << i << " of " << size;
        } else {
          ASSERT_EQ(out[i], expected) << i << " of " << size;
        }
      }
      ASSERT_EQ(out.back(), 77.0F) << "written beyond the end";
    }
  }
}

TEST_P(ByteKernels, ScaledRangeIsThatOfTheProducts) {
  for (std::size_t size = 1; size <= longest; ++size) {
    const Vector values = support::random_vector(static_cast<Index>(size), 5, -9.0F, 7.0F);
    const Vector factors = support::random_vector(static_cast<Index>(size), 6, 0.5F, 2.0F);
    std::vector<float> out(size + 1, 77.0F);
    const auto range_of_products = [&](std::span<const float> x) {
      return scaled_range(x, {factors.data(), size}, std::span(out).first(size));
    };
    const Range range = range_of_products({values.data(), size});
    const Vector expected = values.cwiseProduct(factors);
    EXPECT_EQ(range.low, expected.minCoeff());
    EXPECT_EQ(range.high, expected.maxCoeff());
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(out[i], expected(static_cast<Index>(i)));
    EXPECT_EQ(out.back(), 77.0F) << "written beyond the end";
    std::vector<float> broken(values.data(), values.data() + size);
    broken[size / 2] = nan;
    EXPECT_TRUE(std::isnan(range_of_products(broken).low)) << size;
    EXPECT_TRUE(std::isnan(range_of_products(broken).high)) << size;
  }
}

// Quotients a float or two to either side of every half, where the inverse alone would err.
TEST_P(ByteKernels, CodesAreRightNextToEveryHalf) {
  const CodeRange range = code_range(8, false);
  for (const float step : {0.1F, 0.37F, 1.0F / 3.0F, 7e-5F, 3e-39F, 1e-42F, 2e38F}) {
    std::vector<float> values;
    for (int code = 0; code < 256; ++code) {
      float value = (static_cast<float>(code) + 0.5F) * step;
      for (int i = 0; i < 3; ++i) value = std::nextafter(value, 0.0F);
      for (int i = 0; i < 6; ++i) {
        values.push_back(value);
        value = std::nextafter(value, infinity);
      }
    }
    std::vector<std::uint8_t> codes(values.size());
    byte_codes(values, {step, 0}, range, 0, codes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(int{codes[i]}, reference::quantize(values[i], {step, 0}, range))
          << values[i] << " / " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ByteKernels, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
