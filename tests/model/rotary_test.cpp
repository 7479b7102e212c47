// Rotary positions against doubles.
#include "model/rotary.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/slow_reference.h"

namespace evenkeel {
namespace {

using support::exactly;
using support::random_matrix;
using support::within;

constexpr double epsilon = std::numeric_limits<float>::epsilon();

// theta_i = base^(-2i / channels), equation 15 of Su et al. 2021.
double slow_frequency(const RotaryOptions& options, Index pair) {
  return std::pow(static_cast<double>(options.base),
                  -2.0 * static_cast<double>(pair) / static_cast<double>(options.channels));
}

// The exponent's rounding is magnified by the logarithm of the power; the power, the division and
// the scaling round too.
double relative_bound(double frequency, double scaling) {
  return epsilon * (4.0 + std::abs(std::log(frequency)) + scaling);
}

TEST(RotaryFrequencies, ArePowersOfTheBase) {
  for (const Index channels : {2, 4, 6, 10, 64, 128}) {
    for (const float base : {10000.0F, 500000.0F, 100.0F}) {
      const RotaryOptions options{.channels = channels, .base = base, .scaling = {}};
      const std::vector<float> frequencies = rotary_frequencies(options);
      ASSERT_EQ(static_cast<Index>(frequencies.size()), channels / 2);
      EXPECT_EQ(frequencies.front(), 1.0F);
      for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const double expected = slow_frequency(options, static_cast<Index>(i));
        EXPECT_NEAR(frequencies[i], expected, expected * relative_bound(expected, 0.0));
      }
    }
  }
}

TEST(RotaryFrequencies, LinearScalingDividesAll) {
  RotaryOptions options{.channels = 32, .scaling = {.factor = 3.0F, .linear = true}};
  const std::vector<float> frequencies = rotary_frequencies(options);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double plain = slow_frequency(options, static_cast<Index>(i));
    EXPECT_NEAR(frequencies[i], plain / 3.0, plain / 3.0 * relative_bound(plain, 1.0));
  }
}

// Llama 3: a wavelength is how many tokens a full turn takes.
TEST(RotaryFrequencies, Llama3StretchesLongWavelengths) {
  const RotaryScaling scaling{.factor = 8.0F,
                              .low_frequency_factor = 1.0F,
                              .high_frequency_factor = 4.0F,
                              .original_positions = 8192.0F};
  const RotaryOptions options{.channels = 128, .base = 500000.0F, .scaling = scaling};
  const std::vector<float> frequencies = rotary_frequencies(options);
  int kept = 0;
  int between = 0;
  int stretched = 0;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double plain = slow_frequency(options, static_cast<Index>(i));
    const double turns = 8192.0 / (2.0 * std::numbers::pi / plain);
    double expected = plain;
    if (turns < 1.0) {
      expected = plain / 8.0;
      ++stretched;
    } else if (turns <= 4.0) {
      const double smooth = (turns - 1.0) / 3.0;
      expected = (1.0 - smooth) * plain / 8.0 + smooth * plain;
      ++between;
    } else {
      ++kept;
    }
    // `smooth` is off by some roundings of turns / 3, at most 4 / 3; the result is at least an
    // eighth of what it weighs.
    EXPECT_NEAR(frequencies[i], expected,
                expected * (relative_bound(plain, 4.0) +
                            8.0 * 4.0 / 3.0 * epsilon * (6.0 + std::abs(std::log(plain)))));
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(between, 0);
  EXPECT_GT(stretched, 0);
}

// A quarter turn for each position: by hand.
TEST(Rotate, PairsAreHalvesOrNeighbours) {
  const std::vector<float> quarter(2, std::numbers::pi_v<float> / 2.0F);
  Matrix before(2, 6);
  before.row(0) << 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F;
  before.row(1) = before.row(0);
  Matrix halves = before;
  rotate({.channels = 4, .pairs = RotaryPairs::halves, .scaling = {}}, quarter, 6, halves);
  support::Doubles expected(2, 6);
  expected << 1, 2, 3, 4, 5, 6, -3, -4, 1, 2, 5, 6;
  EXPECT_TRUE(within(halves, expected, 8.0 * epsilon));
  Matrix neighbours = before;
  rotate({.channels = 4, .pairs = RotaryPairs::neighbours, .scaling = {}}, quarter, 6, neighbours);
  expected << 1, 2, 3, 4, 5, 6, -2, 1, -4, 3, 5, 6;
  EXPECT_TRUE(within(neighbours, expected, 8.0 * epsilon));
}

TEST(Rotate, AgreesWithDoublesInEveryHead) {
  constexpr Index width = 10;
  for (const RotaryPairs pairs : {RotaryPairs::halves, RotaryPairs::neighbours}) {
    for (const Index channels : {2, 4, 10}) {
      const RotaryOptions options{.channels = channels, .pairs = pairs, .scaling = {}};
      const std::vector<float> frequencies = rotary_frequencies(options);
      for (const Index heads : {1, 3}) {
        for (const Index tokens : {1, 2, 300}) {
          const Matrix before = random_matrix(tokens, heads * width, 1, -3.0F, 3.0F);
          Matrix values = before;
          rotate(options, frequencies, width, values);
          EXPECT_TRUE(
              within(values, support::slow_rotation(pairs, frequencies, width, exactly(before))));
          EXPECT_EQ(Matrix(values.row(0)), Matrix(before.row(0)));
          for (Index head = 0; head < heads; ++head) {
            const Index first = head * width + channels;
            const Index rest = width - channels;
            EXPECT_EQ(Matrix(values.middleCols(first, rest)),
                      Matrix(before.middleCols(first, rest)));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace evenkeel
