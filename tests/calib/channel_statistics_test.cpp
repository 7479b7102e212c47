#include "calib/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// What the statistics are, in two passes and extended precision.
struct Expected {
  float low, high;
  long double mean, variance;
};

Expected expected_of(const std::vector<float>& values) {
  Expected expected{values.front(), values.front(), 0.0L, 0.0L};
  for (const float value : values) {
    expected.low = std::min(expected.low, value);
    expected.high = std::max(expected.high, value);
    expected.mean += static_cast<long double>(value);
  }
  const auto count = static_cast<long double>(values.size());
  expected.mean /= count;
  for (const float value : values) {
    const long double distance = static_cast<long double>(value) - expected.mean;
    expected.variance += distance * distance;
  }
  expected.variance /= count;
  return expected;
}

std::vector<float> column(const Matrix& values, Index channel) {
  std::vector<float> result;
  for (Index row = 0; row < values.rows(); ++row) result.push_back(values(row, channel));
  return result;
}

// The results are rounded to float once; what double loses before is far below that unless the
// mean dwarfs the spread, where it costs (mean / deviation)^2 units of double: 2^-53 * 1e12 at most
// in these tests.
void expect_statistics(const ChannelStatistics& actual, const Matrix& values) {
  ASSERT_EQ(actual.low().size(), values.cols());
  ASSERT_EQ(actual.mean().size(), values.cols());
  ASSERT_EQ(actual.variance().size(), values.cols());
  for (Index channel = 0; channel < values.cols(); ++channel) {
    const Expected expected = expected_of(column(values, channel));
    const double mean = static_cast<double>(expected.mean);
    const double variance = static_cast<double>(expected.variance);
    EXPECT_EQ(actual.low()(channel), expected.low);
    EXPECT_EQ(actual.high()(channel), expected.high);
    EXPECT_EQ(actual.absmax()(channel), std::max(std::abs(expected.low), std::abs(expected.high)));
    EXPECT_NEAR(actual.mean()(channel), mean, 0x1p-23 * std::abs(mean));
    EXPECT_NEAR(actual.variance()(channel), variance, 1e-4 * variance) << channel;
  }
}

Matrix random_values(Index rows, Index channels, std::uint32_t seed) {
  std::mt19937 random(seed);
  Matrix values(rows, channels);
  for (Index i = 0; i < values.size(); ++i) {
    values.data()[i] = static_cast<float>(random()) * 0x1p-31F - 1.0F;
  }
  return values;
}

// Channel 0 usual, 1 far from zero with little spread, 2 constant, 3 negative only, 4 zero,
// 5 one outlier.
Matrix hard_values(Index rows) {
  Matrix values = random_values(rows, 6, 7);
  values.col(1) = values.col(1).array() * 0.25F + 16384.0F;
  values.col(2).setConstant(-1.1F);
  values.col(3) = -values.col(3).cwiseAbs().array() - 0.5F;
  values.col(4).setZero();
  values(rows / 2, 5) = 1e6F;
  return values;
}

TEST(ChannelStatisticsTest, AgreesWithTwoPasses) {
  const Matrix values = hard_values(257);
  ChannelStatistics statistics;
  statistics.observe(values);
  expect_statistics(statistics, values);
  EXPECT_EQ(statistics.variance()(2), 0.0F);
  EXPECT_EQ(statistics.variance()(4), 0.0F);
}

TEST(ChannelStatisticsTest, VarianceDoesNotCancel) {
  Matrix values(512, 1);
  // Exact in float: 1e6 and steps of 1/16. E[x^2] - E[x]^2 in float would be off by 6e4.
  for (Index row = 0; row < values.rows(); ++row) {
    values(row, 0) = 1e6F + static_cast<float>(row % 4) * 0.0625F;
  }
  for (const Index piece : {Index{512}, Index{1}, Index{100}}) {
    ChannelStatistics statistics;
    for (Index first = 0; first < values.rows(); first += piece) {
      statistics.observe(values.middleRows(first, std::min(piece, values.rows() - first)));
    }
    // Of 0, 1, 2, 3: 5/4.
    EXPECT_NEAR(statistics.variance()(0), 1.25 * 0.0625 * 0.0625, 1e-7);
  }
}

TEST(ChannelStatisticsTest, SplitAndMergedIsWhole) {
  const Matrix values = hard_values(96);
  for (const Index piece : {1, 2, 7, 50, 95}) {
    ChannelStatistics streamed;
    std::vector<ChannelStatistics> parts;
    for (Index first = 0; first < values.rows(); first += piece) {
      const auto rows = values.middleRows(first, std::min(piece, values.rows() - first));
      streamed.observe(rows);
      parts.emplace_back().observe(rows);
    }
    expect_statistics(streamed, values);
    ChannelStatistics left;
    for (const ChannelStatistics& part : parts) left.merge(part);
    expect_statistics(left, values);
    while (parts.size() > 1) {  // as a tree, the other way round
      std::vector<ChannelStatistics> merged;
      for (std::size_t i = parts.size(); i > 0; i -= std::min<std::size_t>(i, 2)) {
        merged.push_back(parts[i - 1]);
        if (i > 1) merged.back().merge(parts[i - 2]);
      }
      parts = std::move(merged);
    }
    expect_statistics(parts.front(), values);
  }
}

TEST(ChannelStatisticsTest, MergeWithEmptyChangesNothing) {
  const Matrix values = hard_values(5);
  ChannelStatistics statistics;
  EXPECT_TRUE(statistics.empty());
  statistics.observe(Matrix(0, 6));
  EXPECT_TRUE(statistics.empty());
  statistics.observe(values);
  statistics.merge({});
  expect_statistics(statistics, values);
  ChannelStatistics other;
  other.merge(statistics);
  expect_statistics(other, values);
}

TEST(ChannelStatisticsTest, OneTokenAndOneChannel) {
  Matrix token(1, 3);
  token << -2.5F, 0.0F, 7.0F;
  ChannelStatistics one;
  one.observe(token);
  expect_statistics(one, token);
  EXPECT_EQ(one.variance(), Vector::Zero(3));
  const Matrix channel = random_values(33, 1, 3);
  ChannelStatistics narrow;
  narrow.observe(channel);
  expect_statistics(narrow, channel);
}

TEST(ChannelStatisticsTest, ChannelByChannelIsTheSame) {
  const Matrix values = hard_values(40);
  ChannelStatistics statistics;
  for (Index first = 0; first < values.rows(); first += 8) {
    for (Index channel = values.cols(); channel-- > 0;) {
      statistics.observe_channel(channel, values.cols(),
                                 column(values.middleRows(first, 8), channel));
    }
  }
  expect_statistics(statistics, values);
}

TEST(ChannelStatisticsTest, ChannelsOfUnequalCountMerge) {
  const std::vector<float> longer{1.0F, 2.0F, 4.0F, 9.0F};
  const std::vector<float> shorter{-3.0F};
  ChannelStatistics first;
  first.observe_channel(0, 3, longer);
  ChannelStatistics second;
  second.observe_channel(0, 3, shorter);
  second.observe_channel(2, 3, shorter);
  first.merge(second);
  EXPECT_FLOAT_EQ(first.mean()(0), 13.0F / 5.0F);
  EXPECT_EQ(first.low()(0), -3.0F);
  EXPECT_EQ(first.high()(2), -3.0F);
  EXPECT_EQ(first.mean()(2), -3.0F);
  EXPECT_EQ(first.variance()(2), 0.0F);
  // Nobody has seen channel 1.
  EXPECT_EQ(first.mean()(1), 0.0F);
  EXPECT_EQ(first.variance()(1), 0.0F);
  EXPECT_GT(first.low()(1), first.high()(1));
}

TEST(ChannelStatisticsTest, NanStaysInItsChannel) {
  Matrix values = random_values(8, 3, 9);
  values(3, 1) = std::numeric_limits<float>::quiet_NaN();
  for (const bool merged : {false, true}) {
    ChannelStatistics statistics;
    statistics.observe(values.topRows(4));
    if (merged) {
      ChannelStatistics rest;
      rest.observe(values.bottomRows(4));
      statistics.merge(rest);
    } else {
      statistics.observe(values.bottomRows(4));
    }
    EXPECT_TRUE(std::isnan(statistics.mean()(1)));
    EXPECT_TRUE(std::isnan(statistics.variance()(1)));
    for (const Index channel : {0, 2}) {
      const Expected expected = expected_of(column(values, channel));
      EXPECT_EQ(statistics.low()(channel), expected.low);
      EXPECT_NEAR(statistics.mean()(channel), static_cast<double>(expected.mean), 1e-7);
    }
  }
}

TEST(ChannelStatisticsTest, InfinityMakesTheMeanInfiniteOrNan) {
  Matrix values = random_values(4, 1, 5);
  values(2, 0) = -std::numeric_limits<float>::infinity();
  ChannelStatistics statistics;
  statistics.observe(values);
  EXPECT_FALSE(std::isfinite(statistics.mean()(0)));
  EXPECT_EQ(statistics.low()(0), values(2, 0));
}

}  // namespace
}  // namespace evenkeel
