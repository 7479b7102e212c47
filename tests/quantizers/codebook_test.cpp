#include "quantizers/codebook.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"

namespace evenkeel {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

TensorScheme logarithmic(int bits, int steps) {
  return {.bits = bits, .codes = Codes::logarithmic, .steps_per_octave = steps};
}
TensorScheme two_range(int bits, double split) {
  return {.bits = bits, .codes = Codes::two_range, .split = split};
}

TEST(CodebookFractions, ByHand) {
  EXPECT_EQ(codebook_fractions(logarithmic(2, 1)), (std::vector<float>{0.0F, 0.25F, 0.5F, 1.0F}));
  const auto halves = static_cast<float>(std::sqrt(0.5));
  EXPECT_EQ(codebook_fractions(logarithmic(2, 2)), (std::vector<float>{0.0F, 0.5F, halves, 1.0F}));
  EXPECT_EQ(codebook_fractions(two_range(2, 0.25)), (std::vector<float>{0.0F, 0.25F, 1.0F}));
  // A value that both ranges have is there once.
  EXPECT_EQ(
      codebook_fractions(two_range(3, 1.0 / 3.0)),
      (std::vector<float>{0.0F, static_cast<float>(1.0 / 9.0), static_cast<float>(2.0 / 9.0),
                          static_cast<float>(1.0 / 3.0), static_cast<float>(2.0 / 3.0), 1.0F}));
}

TEST(CodebookFractions, AscendFromZeroToOneAndFitTheBits) {
  for (int bits = 2; bits <= 8; ++bits) {
    for (const TensorScheme& scheme : {logarithmic(bits, 1), logarithmic(bits, 3),
                                       two_range(bits, 0.03125), two_range(bits, 0.9)}) {
      const auto fractions = codebook_fractions(scheme);
      EXPECT_EQ(fractions.front(), 0.0F);
      EXPECT_EQ(fractions.back(), 1.0F);
      EXPECT_LE(fractions.size(), std::size_t{1} << static_cast<unsigned>(bits));
      for (std::size_t i = 1; i < fractions.size(); ++i) {
        EXPECT_LT(fractions[i - 1], fractions[i]);
      }
    }
  }
}

class CodebookKernel : public support::EachTarget {};

// Every value, the floats around each middle, and what no range holds; of every length, so that
// whole vectors and what is left of them are both met.
std::vector<float> hard_values(const Codebook& codebook) {
  std::vector<float> values{0.0F, -0.0F, -1.0F, denormal, nan, infinity, -infinity, 1e30F};
  const auto levels = codebook.values();
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    const float middle = static_cast<float>(
        (static_cast<double>(levels[i]) + static_cast<double>(levels[i + 1])) / 2.0);
    for (const float value :
         {levels[i], middle, std::nextafter(middle, 0.0F), std::nextafter(middle, infinity)}) {
      values.push_back(value);
    }
  }
  std::mt19937 random(7);
  std::uniform_real_distribution<float> exponent(-20.0F, 0.0F);
  for (int i = 0; i < 300; ++i) values.push_back(levels.back() * std::exp2(exponent(random)));
  return values;
}

TEST_P(CodebookKernel, GivesTheNearestAsTheReference) {
  for (const TensorScheme& scheme :
       {logarithmic(2, 1), logarithmic(4, 2), logarithmic(6, 3), logarithmic(8, 2),
        two_range(2, 0.25), two_range(6, 0.03125), two_range(8, 0.3)}) {
    const auto fractions = codebook_fractions(scheme);
    for (const float top : {1.0F, 0.3F, 77.7F, 1e-30F, 50.0F * denormal, denormal, 0.0F}) {
      const Codebook codebook(fractions, top);
      const std::vector<float> values = hard_values(codebook);
      std::vector<float> given = values;
      codebook.fake_quantize(given);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const float expected = reference::nearest(codebook.values(), values[i]);
        EXPECT_EQ(std::bit_cast<std::uint32_t>(given[i]), std::bit_cast<std::uint32_t>(expected))
            << values[i] << " of top " << top << ", " << scheme.bits << " bits: " << given[i]
            << ", expected " << expected;
      }
    }
  }
}

TEST_P(CodebookKernel, ATopThatIsNotFiniteMakesAllNaN) {
  for (const float top : {nan, infinity}) {
    std::vector<float> values{0.0F, 0.5F, 1.0F};
    Codebook(codebook_fractions(logarithmic(3, 1)), top).fake_quantize(values);
    for (const float value : values) EXPECT_TRUE(std::isnan(value));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CodebookKernel, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
