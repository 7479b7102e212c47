#include "io/gguf_rope.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// The formula of transformers' modeling_rope_utils, by frequency.
std::vector<float> divisors_of(const Llama3Rope& rope, double base, int channels) {
  std::vector<float> divisors;
  for (int i = 0; i < channels / 2; ++i) {
    const double frequency = std::pow(base, -2.0 * i / channels);
    const double wavelength = 2 * std::numbers::pi / frequency;
    double scaled = frequency;
    if (wavelength > rope.original / rope.low) {
      scaled = frequency / rope.factor;
    } else if (wavelength >= rope.original / rope.high) {
      const double smooth = (rope.original / wavelength - rope.low) / (rope.high - rope.low);
      scaled = (1 - smooth) * frequency / rope.factor + smooth * frequency;
    }
    divisors.push_back(static_cast<float>(frequency / scaled));
  }
  return divisors;
}

void expect_same_function(const Llama3Rope& rope, double base, int channels) {
  const auto divisors = divisors_of(rope, base, channels);
  const auto found = llama3_rope(divisors, base, channels);
  ASSERT_TRUE(found);
  const auto again = divisors_of(*found, base, channels);
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    EXPECT_NEAR(again[i], divisors[i], 1e-5 * divisors[i]) << i;
  }
}

TEST(GgufRope, FindsThePublishedSettings) {
  for (const double factor : {8.0, 32.0}) {
    const auto found = llama3_rope(divisors_of({.factor = factor}, 500000.0, 128), 500000.0, 128);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->factor, factor);
    EXPECT_EQ(found->low, 1.0);
    EXPECT_EQ(found->high, 4.0);
    EXPECT_EQ(found->original, 8192.0);
  }
}

TEST(GgufRope, FindsTheFunctionOfOtherSettings) {
  expect_same_function({4.0, 1.0, 4.0, 2048.0}, 10000.0, 64);  // several mixed frequencies
  expect_same_function({16.0, 2.0, 7.0, 4096.0}, 10000.0, 128);
  expect_same_function({8.0, 1.0, 4.0, 32.0}, 500000.0, 8);   // none
  expect_same_function({8.0, 1.0, 4.0, 256.0}, 500000.0, 8);  // one
}

TEST(GgufRope, FindsNothingInOtherDivisors) {
  auto divisors = divisors_of({.factor = 8.0}, 500000.0, 128);
  divisors[20] *= 1.01F;
  EXPECT_FALSE(llama3_rope(divisors, 500000.0, 128));
  divisors[20] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(llama3_rope(divisors, 500000.0, 128));
  EXPECT_FALSE(llama3_rope(std::vector<float>{}, 500000.0, 0));
  EXPECT_FALSE(llama3_rope(std::vector<float>{0.0F, 0.0F}, 500000.0, 4));
  EXPECT_FALSE(llama3_rope(std::vector<float>{8.0F, 1.0F}, 500000.0, 4));
  // A factor for every frequency alone is no such scaling: the shortest wavelength is 2 pi.
  EXPECT_FALSE(llama3_rope(std::vector<float>{1.0F, 2.0F, 4.0F, 8.0F}, 500000.0, 8));
}

}  // namespace
}  // namespace evenkeel
