#include "quantizers/data_types/quantile_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Floats = std::vector<float>;

// What the header says, by sorting everything.
struct Expected {
  std::vector<double> values;
  double slack = 0.0;  // what an index that is off by rounding makes of the largest gap it meets
};

Expected by_sorting(Floats values, int bits) {
  std::ranges::sort(values);
  const std::uint64_t codes = std::uint64_t{1} << static_cast<unsigned>(bits);
  const std::uint64_t last = values.size() - 1;
  std::vector<double> quantiles;
  double widest = 0.0;
  for (std::uint64_t i = 1; i <= codes; ++i) {
    // last * i / (codes + 1), its whole part and its fraction exactly.
    const std::uint64_t below = last * i / (codes + 1);
    const double part =
        static_cast<double>(last * i % (codes + 1)) / static_cast<double>(codes + 1);
    const auto at = [&](std::uint64_t rank) {
      return static_cast<double>(values[std::min(rank, last)]);
    };
    quantiles.push_back((1.0 - part) * at(below) + part * at(below + 1));
    // One rank further to each side, as rounding may take the index across a whole number.
    widest = std::max(widest, at(below + 2) - at(below > 0 ? below - 1 : 0));
  }
  Expected expected;
  double largest = 0.0;
  for (std::size_t i = 0; i + 1 < quantiles.size(); ++i) {
    expected.values.push_back((quantiles[i] + quantiles[i + 1]) / 2.0);
    largest = std::max(largest, std::abs(expected.values.back()));
  }
  for (double& value : expected.values) value = largest > 0.0 ? value / largest : 0.0;
  expected.values.push_back(0.0);
  std::ranges::sort(expected.values);
  // The index, last * (i / (codes + 1)), is off by two roundings of at most `last`.
  const double index_error = static_cast<double>(last) * 0x1p-52;
  if (largest > 0.0) expected.slack = 2.0 * index_error * widest / largest + 0x1p-50;
  return expected;
}

void expect_as_by_sorting(const Floats& values, int bits) {
  const Expected expected = by_sorting(values, bits);
  const Floats given = quantile_values(values, bits);
  ASSERT_EQ(given.size(), std::size_t{1} << static_cast<unsigned>(bits));
  ASSERT_TRUE(std::ranges::is_sorted(given));
  ASSERT_EQ(given.size(), expected.values.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    // One rounding to float of what is within the slack.
    const double bound = 0x1p-24 * std::abs(expected.values[i]) + expected.slack;
    ASSERT_LE(std::abs(static_cast<double>(given[i]) - expected.values[i]), bound)
        << bits << " bits, value " << i << ": " << given[i] << ", expected " << expected.values[i];
  }
}

class Samples {
 public:
  explicit Samples(std::uint32_t seed) : random_(seed) {}
  // In (0, 1).
  double uniform() { return (static_cast<double>(random_()) + 0.5) * 0x1p-32; }
  double normal() {  // Box-Muller
    return std::sqrt(-2.0 * std::log(uniform())) * std::cos(2.0 * std::numbers::pi * uniform());
  }
  // Student's of two degrees of freedom.
  double heavy() { return normal() / std::sqrt(-std::log(uniform())); }

  template <class Draw>
  static Floats many(std::size_t count, Draw&& draw) {
    Floats values(count);
    for (float& value : values) value = static_cast<float>(draw());
    return values;
  }

 private:
  std::mt19937 random_;
};

TEST(QuantileValues, AsASortOfAMillionGivesThem) {
  constexpr std::size_t million = 1'000'000;
  Samples samples(1);
  for (const Floats& values : {Samples::many(million, [&] { return 0.02 * samples.normal(); }),
                               Samples::many(million, [&] { return samples.uniform() - 0.3; }),
                               Samples::many(million, [&] { return 5.0 * samples.heavy(); })}) {
    for (const int bits : {2, 3, 4, 8}) expect_as_by_sorting(values, bits);
  }
}

TEST(QuantileValues, AsASortOfFewGivesThem) {
  Samples samples(2);
  for (std::size_t count = 1; count <= 40; ++count) {
    for (int bits = 2; bits <= 8; ++bits) {
      expect_as_by_sorting(Samples::many(count, [&] { return samples.normal(); }), bits);
      expect_as_by_sorting(Samples::many(count, [&] { return samples.uniform(); }), bits);
      expect_as_by_sorting(Samples::many(count, [&] { return -samples.uniform(); }), bits);
      // Repeated ones.
      expect_as_by_sorting(Samples::many(count, [&] { return std::round(samples.normal()); }),
                           bits);
    }
  }
}

TEST(QuantileValues, TwoBitsByHand) {
  // Fifths of 0 .. 5, in any order: 1, 2, 3, 4, whose middles are 1.5, 2.5 and 3.5.
  const Floats values{3.0F, 0.0F, 5.0F, 1.0F, 4.0F, 2.0F};
  EXPECT_EQ(quantile_values(values, 2),
            (Floats{0.0F, static_cast<float>(1.5 / 3.5), static_cast<float>(2.5 / 3.5), 1.0F}));
  // Between ranks: fifths of 0, 10 are 2, 4, 6, 8.
  const Floats between = quantile_values(Floats{-10.0F, 0.0F}, 2);
  EXPECT_EQ(between.front(), -1.0F);
  EXPECT_NEAR(between[1], -5.0 / 7.0, 0x1p-24);
  EXPECT_NEAR(between[2], -3.0 / 7.0, 0x1p-24);
  EXPECT_EQ(between.back(), 0.0F);
}

TEST(QuantileValues, ReachOneWithZeroAmongThem) {
  Samples samples(3);
  for (int bits = 2; bits <= 8; ++bits) {
    const Floats values =
        quantile_values(Samples::many(5000, [&] { return samples.heavy(); }), bits);
    EXPECT_EQ(std::max(std::abs(values.front()), values.back()), 1.0F);
    EXPECT_EQ(std::ranges::count(values, 0.0F), 1);
  }
}

TEST(QuantileValues, OfZerosAreZeros) {
  for (const int bits : {2, 4, 8}) {
    const Floats zeros(std::size_t{1} << static_cast<unsigned>(bits), 0.0F);
    for (const std::size_t count : {std::size_t{1}, std::size_t{1000}}) {
      for (const float zero : {0.0F, -0.0F}) {
        const Floats values = quantile_values(Floats(count, zero), bits);
        ASSERT_EQ(values.size(), zeros.size());
        for (const float value : values) EXPECT_EQ(std::bit_cast<std::uint32_t>(value), 0U);
      }
    }
  }
}

TEST(QuantileValues, NegativeZerosAreZeros) {
  Floats values(308, 0.0F);  // with those below, quantiles lie just below ranks
  values.insert(values.end(), 50, -1.0F);
  values.insert(values.end(), 50, 2.0F);
  const Floats expected = quantile_values(values, 4);
  for (std::size_t i = 0; i < 308; i += 2) values[i] = -0.0F;
  const Floats given = quantile_values(values, 4);
  EXPECT_EQ(given, expected);
  for (const float value : given) EXPECT_FALSE(value == 0.0F && std::signbit(value));
}

TEST(QuantileValues, OfAConstantAreItsSignAndZero) {
  for (const int bits : {2, 3, 8}) {
    for (const float constant : {0.7F, 1e-40F, 3e38F}) {
      Floats expected(std::size_t{1} << static_cast<unsigned>(bits), 1.0F);
      expected.front() = 0.0F;
      EXPECT_EQ(quantile_values(Floats(77, constant), bits), expected);
      std::ranges::fill(expected, -1.0F);
      expected.back() = 0.0F;
      EXPECT_EQ(quantile_values(Floats(77, -constant), bits), expected);
    }
  }
}

TEST(QuantileValues, DoNotDependOnTheOrder) {
  Samples samples(4);
  Floats values = Samples::many(10'000, [&] { return samples.heavy(); });
  const Floats expected = quantile_values(values, 6);
  std::ranges::sort(values);
  EXPECT_EQ(quantile_values(values, 6), expected);
  std::ranges::reverse(values);
  EXPECT_EQ(quantile_values(values, 6), expected);
}

TEST(QuantileValues, TheLargestAndTheLeastFloats) {
  Floats values;
  for (const float value : {3.4e38F, -3.4e38F, 1e-45F, -1e-45F, 1.0F, -1.0F, 65504.0F}) {
    values.insert(values.end(), 100, value);
  }
  for (const int bits : {2, 4, 8}) expect_as_by_sorting(values, bits);
}

}  // namespace
}  // namespace evenkeel
