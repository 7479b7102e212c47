#include "calib/compare/paired_difference.h"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

Figure accuracy(std::vector<double> terms) {
  double mean = 0.0;
  for (const double term : terms) mean += term / static_cast<double>(terms.size());
  return {Metric::accuracy, mean, std::move(terms)};
}

PairedDifference between(const Figure& a, const Figure& b) {
  return paired_difference(std::span(&a, 1), std::span(&b, 1));
}

// What scipy.stats.ttest_rel gives is held by tests/golden/paired_tests_test.py; here are cases
// that can be done by hand.
TEST(PairedDifference, OfThreePairs) {
  // d = 1, 2, 3: mean 2, error 1 / sqrt(3), t = 2 sqrt(3) with 2 degrees of freedom, for which
  // p = 1 - t / sqrt(2 + t^2).
  const auto test = between(accuracy({2.0, 4.0, 6.0}), accuracy({1.0, 2.0, 3.0}));
  const double t = 2.0 * std::sqrt(3.0);
  EXPECT_DOUBLE_EQ(test.difference, 2.0);
  EXPECT_DOUBLE_EQ(test.standard_error, 1.0 / std::sqrt(3.0));
  EXPECT_DOUBLE_EQ(test.degrees, 2.0);
  EXPECT_NEAR(test.p_value, 1.0 - t / std::sqrt(2.0 + t * t), 1e-14);
}

TEST(PairedDifference, IsAgainstTheOther) {
  const Figure a = accuracy({0.0, 1.0, 1.0, 0.0});
  const Figure b = accuracy({1.0, 1.0, 1.0, 0.0});
  EXPECT_DOUBLE_EQ(between(a, b).difference, -0.25);
  EXPECT_DOUBLE_EQ(between(b, a).difference, 0.25);
  EXPECT_DOUBLE_EQ(between(b, a).p_value, between(a, b).p_value);
}

TEST(PairedDifference, NothingDiffersFromItself) {
  const Figure figure = accuracy({0.0, 1.0, 1.0});
  EXPECT_EQ(between(figure, figure).p_value, 1.0);
  // Everything by the same amount: there is no noise.
  EXPECT_EQ(between(accuracy({1.0, 1.0}), accuracy({0.0, 0.0})).p_value, 0.0);
}

TEST(PairedDifference, OneTermTellsNothing) {
  const auto test = between(accuracy({1.0}), accuracy({0.25}));
  EXPECT_DOUBLE_EQ(test.difference, 0.75);
  EXPECT_TRUE(std::isnan(test.standard_error));
  EXPECT_TRUE(std::isnan(test.p_value));
}

TEST(PairedDifference, WhatIsNotFiniteIsNotTested) {
  const auto test = between(accuracy({INFINITY, 1.0}), accuracy({0.0, 0.0}));
  EXPECT_TRUE(std::isnan(test.p_value));
}

TEST(PairedDifference, SeedsAddTheirOwnError) {
  const std::array figures{accuracy({1.0, 2.0, 3.0}), accuracy({2.0, 3.0, 4.5})};
  const std::array baseline{accuracy({0.0, 0.0, 0.0})};
  const auto test = paired_difference(figures, baseline);
  // Over windows: means over seeds 1.5, 2.5, 3.75; over seeds: means 2 and 9.5 / 3.
  const double mean = (1.5 + 2.5 + 3.75) / 3.0;
  const double windows =
      (std::pow(1.5 - mean, 2) + std::pow(2.5 - mean, 2) + std::pow(3.75 - mean, 2)) / 2.0 / 3.0;
  const double seeds = std::pow((9.5 / 3.0 - 2.0) / 2.0, 2);
  EXPECT_NEAR(test.difference, mean, 1e-15);
  EXPECT_NEAR(test.standard_error, std::sqrt(windows + seeds), 1e-15);
  EXPECT_NEAR(test.degrees,
              std::pow(windows + seeds, 2) / (windows * windows / 2.0 + seeds * seeds), 1e-12);
}

TEST(PairedDifference, AsManySeedsAreComparedOneByOne) {
  // Seeds move both by the same: no error over seeds is left.
  const std::array figures{accuracy({1.0, 2.0, 4.0}), accuracy({6.0, 7.0, 9.0})};
  const std::array baselines{accuracy({0.0, 0.0, 0.0}), accuracy({5.0, 5.0, 5.0})};
  const auto test = paired_difference(figures, baselines);
  EXPECT_DOUBLE_EQ(test.standard_error,
                   between(accuracy({1.0, 2.0, 4.0}), accuracy({0.0, 0.0, 0.0})).standard_error);
}

TEST(MeanOverSeeds, OfPerplexitiesIsExpOfTheMeanOfTheirTerms) {
  const std::array seeds{Figure{Metric::perplexity, std::exp(1.5), {1.0, 2.0}},
                         Figure{Metric::perplexity, std::exp(2.5), {2.0, 3.0}}};
  const Figure mean = mean_over_seeds(seeds);
  EXPECT_NEAR(mean.value, std::exp(2.0), 1e-14);
  EXPECT_EQ(mean.terms, (std::vector<double>{1.5, 2.5}));
  EXPECT_NEAR(seed_error(seeds), (std::exp(2.5) - std::exp(1.5)) / 2.0, 1e-14);
}

TEST(Adjust, IsHolmsStepDown) {
  std::array<PairedDifference, 5> tests{};
  const std::array p{0.01, 0.04, 0.03, 0.5, std::nan("")};
  std::vector<PairedDifference*> all;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i].p_value = tests[i].adjusted_p_value = p[i];
    all.push_back(&tests[i]);
  }
  adjust(all);
  EXPECT_DOUBLE_EQ(tests[0].adjusted_p_value, 0.04);
  EXPECT_DOUBLE_EQ(tests[2].adjusted_p_value, 0.09);
  EXPECT_DOUBLE_EQ(tests[1].adjusted_p_value, 0.09);  // not below that of a smaller p
  EXPECT_DOUBLE_EQ(tests[3].adjusted_p_value, 0.5);
  EXPECT_TRUE(std::isnan(tests[4].adjusted_p_value));
}

}  // namespace
}  // namespace evenkeel
