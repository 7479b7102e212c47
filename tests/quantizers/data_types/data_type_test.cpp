// Values worked out by hand; the golden tests compare with the maps of bitsandbytes.
#include "quantizers/data_types/data_type.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Floats = std::vector<float>;

// Both signs of magnitudes that ascend from above 0, and 0.
Floats both_signs(const std::vector<double>& magnitudes) {
  Floats values{0.0F};
  for (const double magnitude : magnitudes) {
    values.push_back(static_cast<float>(magnitude));
    values.insert(values.begin(), static_cast<float>(-magnitude));
  }
  return values;
}

Floats floats(int bits, int exponent_bits, bool appendix_bias = false) {
  return data_type_values({.bits = bits,
                           .codes = Codes::floating,
                           .exponent_bits = exponent_bits,
                           .appendix_bias = appendix_bias});
}

std::vector<TensorScheme> all_schemes() {
  std::vector<TensorScheme> all{{.bits = 4, .codes = Codes::nf4}, {.bits = 4, .codes = Codes::fp4}};
  for (int bits = 2; bits <= 8; ++bits) {
    all.push_back({.bits = bits, .codes = Codes::linear});
    if (bits < 3) continue;
    all.push_back({.bits = bits, .codes = Codes::dynamic});
    for (int exponent = 0; exponent < bits; ++exponent) {
      for (const bool appendix : {false, true}) {
        all.push_back({.bits = bits,
                       .codes = Codes::floating,
                       .exponent_bits = exponent,
                       .appendix_bias = appendix});
      }
    }
  }
  return all;
}

TEST(ExponentBits, DefaultAndPaper) {
  for (const auto& [bits, usual, paper] :
       {std::array{3, 2, 2}, {4, 2, 3}, {5, 3, 3}, {6, 3, 3}, {7, 4, 3}, {8, 4, 3}}) {
    EXPECT_EQ(default_exponent_bits(bits), usual) << bits;
    EXPECT_EQ(paper_exponent_bits(bits), paper) << bits;
    TensorScheme scheme{.bits = bits, .codes = Codes::floating};
    EXPECT_EQ(exponent_bits_of(scheme), usual);
    scheme.paper_exponents = true;
    EXPECT_EQ(exponent_bits_of(scheme), paper);
    EXPECT_EQ(data_type_values(scheme), floats(bits, paper));
    scheme.paper_exponents = false;
    scheme.exponent_bits = 1;
    EXPECT_EQ(exponent_bits_of(scheme), 1);
  }
}

TEST(DataType, AscendsFromMinusOneOrMoreToOneThroughZero) {
  for (const TensorScheme& scheme : all_schemes()) {
    const Floats values = data_type_values(scheme);
    SCOPED_TRACE(testing::Message() << name_of(scheme.codes) << " " << scheme.bits << " bits, "
                                    << scheme.exponent_bits);
    EXPECT_EQ(values.size(), data_type_size(scheme));
    EXPECT_LE(values.size(), std::size_t{1} << static_cast<unsigned>(scheme.bits));
    for (std::size_t i = 1; i < values.size(); ++i) EXPECT_LT(values[i - 1], values[i]);
    EXPECT_EQ(std::ranges::count(values, 0.0F), 1);
    for (const float value : values) EXPECT_FALSE(value == 0.0F && std::signbit(value));
    EXPECT_EQ(values.back(), 1.0F);
    EXPECT_GE(values.front(), -1.0F);
  }
}

TEST(DataType, Sizes) {
  for (int bits = 2; bits <= 8; ++bits) {
    const std::size_t codes = std::size_t{1} << static_cast<unsigned>(bits);
    EXPECT_EQ(data_type_size({.bits = bits, .codes = Codes::quantile}), codes);
    EXPECT_EQ(data_type_size({.bits = bits, .codes = Codes::linear}), codes - 1);
    if (bits < 3) continue;
    EXPECT_EQ(data_type_size({.bits = bits, .codes = Codes::dynamic}), codes);
    for (int exponent = 1; exponent < bits; ++exponent) {
      EXPECT_EQ(floats(bits, exponent).size(), codes - 1);
    }
  }
  EXPECT_EQ(data_type_size({.bits = 4, .codes = Codes::nf4}), 16U);
  EXPECT_EQ(data_type_size({.bits = 4, .codes = Codes::fp4}), 15U);
}

TEST(DataType, LinearIsEvenlySpaced) {
  EXPECT_EQ(data_type_values({.bits = 2, .codes = Codes::linear}), (Floats{-1.0F, 0.0F, 1.0F}));
  for (int bits = 2; bits <= 8; ++bits) {
    const int last = (1 << (bits - 1)) - 1;
    Floats expected;
    for (int i = -last; i <= last; ++i) {
      expected.push_back(static_cast<float>(static_cast<double>(i) / last));
    }
    EXPECT_EQ(data_type_values({.bits = bits, .codes = Codes::linear}), expected);
  }
}

TEST(DataType, FloatsByHand) {
  EXPECT_EQ(floats(3, 2), both_signs({0.25, 0.5, 1.0}));
  // One exponent bit, bias 1: 0 and 1/4 of exponent 0, 2 and 3 of 1.
  EXPECT_EQ(floats(3, 1), both_signs({0.25 / 3.0, 2.0 / 3.0, 1.0}));
  // Bias 2: 0 and 1/8, then 4, 6, 2, 3, 1, 1.5 of exponents 1, 2 and 3; the largest is 6.
  EXPECT_EQ(floats(4, 2),
            both_signs({1.0 / 48.0, 1.0 / 6.0, 1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0, 2.0 / 3.0, 1.0}));
  // Without a fraction: powers of two.
  EXPECT_EQ(floats(4, 3), both_signs({0x1p-6, 0x1p-5, 0x1p-4, 0x1p-3, 0x1p-2, 0x1p-1, 1.0}));
}

TEST(DataType, TheAppendixBiasMakesSubnormalsFourTimesSmaller) {
  for (int bits = 3; bits <= 8; ++bits) {
    for (int exponent = 1; exponent < bits; ++exponent) {
      const Floats usual = floats(bits, exponent);
      const Floats appendix = floats(bits, exponent, true);
      ASSERT_EQ(appendix.size(), usual.size());
      // Behind 0, which lies in the middle, there are all fractions but 0 of exponent 0.
      const std::size_t subnormals =
          (std::size_t{1} << static_cast<unsigned>(bits - 1 - exponent)) - 1;
      const std::size_t middle = usual.size() / 2;
      for (std::size_t i = 0; i < usual.size(); ++i) {
        const std::size_t from_zero = i > middle ? i - middle : middle - i;
        EXPECT_EQ(appendix[i], from_zero <= subnormals ? usual[i] / 4.0F : usual[i])
            << bits << " bits, " << exponent << " of exponent, value " << i;
      }
    }
  }
}

TEST(DataType, FourBitsWithTheAppendixBiasAreThoseOfBitsandbytes) {
  const Floats fp4 = data_type_values({.bits = 4, .codes = Codes::fp4});
  EXPECT_EQ(fp4,
            both_signs({1.0 / 192.0, 1.0 / 6.0, 1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0, 2.0 / 3.0, 1.0}));
  EXPECT_EQ(floats(4, 2, true), fp4);
}

TEST(DataType, DynamicByHand) {
  // Parts of [0.1, 1]: one of hundredths, two of tenths, four of ones.
  Floats expected = both_signs({0.0055, 0.0325, 0.0775, 0.2125, 0.4375, 0.6625, 0.8875});
  expected.push_back(1.0F);
  const Floats given = data_type_values({.bits = 4, .codes = Codes::dynamic});
  ASSERT_EQ(given.size(), expected.size());
  // Middles and powers of ten are off by a few roundings in double, which float hides or shows
  // as one in its last place.
  for (std::size_t i = 0; i < given.size(); ++i) EXPECT_FLOAT_EQ(given[i], expected[i]);
}

TEST(DataType, NormalFloatReachesBothEnds) {
  const Floats values = data_type_values({.bits = 4, .codes = Codes::nf4});
  EXPECT_EQ(values.front(), -1.0F);
  EXPECT_EQ(values[7], 0.0F);
  // Seven values below 0 and eight above: those are closer together.
  for (std::size_t i = 1; i < 7; ++i) EXPECT_LT(values[7 + i], -values[7 - i]);
}

}  // namespace
}  // namespace evenkeel
