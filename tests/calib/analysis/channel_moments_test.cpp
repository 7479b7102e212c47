#include "calib/analysis/channel_moments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr double limit = 6.0;

// What they are, in two passes and extended precision.
struct Expected {
  double deviation = 0.0;
  double kurtosis = 0.0;
  double beyond = 0.0;
};

template <typename Column>
Expected expected_of(const Column& column) {
  long double mean = 0.0L;
  for (const float value : column) mean += static_cast<long double>(value);
  const auto count = static_cast<long double>(column.size());
  mean /= count;
  long double second = 0.0L;
  long double fourth = 0.0L;
  Expected expected;
  for (const float value : column) {
    const long double square =
        (static_cast<long double>(value) - mean) * (static_cast<long double>(value) - mean);
    second += square / count;
    fourth += square * square / count;
    expected.beyond += std::abs(static_cast<double>(value)) > limit ? 1.0 : 0.0;
  }
  expected.deviation = static_cast<double>(std::sqrt(second));
  expected.kurtosis = static_cast<double>(fourth / (second * second));
  return expected;
}

// Channel 0 usual, 1 far from zero with little spread, 2 constant, 3 negative only, 4 zero, 5 one
// outlier, 6 two values.
Matrix hard_values(Index rows) {
  Matrix values = support::random_matrix(rows, 7, 3);
  values.col(1) = values.col(1).array() * 0.25F + 16384.0F;
  values.col(2).setConstant(-1.1F);
  values.col(3) = -values.col(3).cwiseAbs().array() - 0.5F;
  values.col(4).setZero();
  values(rows / 2, 5) = 1e4F;
  for (Index row = 0; row < rows; ++row) values(row, 6) = row % 2 == 0 ? 7.0F : -7.0F;
  return values;
}

void expect_moments(const ChannelMoments& actual, const Matrix& values) {
  ASSERT_EQ(actual.statistics().low().size(), values.cols());
  EXPECT_EQ(actual.tokens(), static_cast<double>(values.rows()));
  for (Index channel = 0; channel < values.cols(); ++channel) {
    const auto column = values.col(channel);
    const Expected expected = expected_of(column);
    EXPECT_EQ(actual.beyond()(channel), expected.beyond) << channel;
    if (column.minCoeff() == column.maxCoeff()) {
      // The mean of a constant is rounded once.
      EXPECT_LE(actual.deviation()(channel), 0x1p-50 * std::abs(column(0))) << channel;
      EXPECT_TRUE(std::isnan(actual.kurtosis()(channel))) << channel;
      continue;
    }
    // The mean's rounding over the spread: 2^-53 * 16384 / 0.14, times a few.
    EXPECT_NEAR(actual.deviation()(channel), expected.deviation, 1e-9 * expected.deviation);
    EXPECT_NEAR(actual.kurtosis()(channel), expected.kurtosis, 1e-9 * expected.kurtosis);
  }
}

TEST(ChannelMomentsTest, AgreeWithTwoPasses) {
  const Matrix values = hard_values(257);
  ChannelMoments moments;
  moments.observe(values, limit);
  expect_moments(moments, values);
  EXPECT_NEAR(moments.kurtosis()(6), 1.0, 1e-4);  // of a fair coin
}

TEST(ChannelMomentsTest, SplitAndMergedIsWhole) {
  const Matrix values = hard_values(96);
  for (const Index piece : {1, 2, 7, 50, 95}) {
    ChannelMoments streamed;
    std::vector<ChannelMoments> parts;
    for (Index first = 0; first < values.rows(); first += piece) {
      const auto rows = values.middleRows(first, std::min(piece, values.rows() - first));
      streamed.observe(rows, limit);
      parts.emplace_back().observe(rows, limit);
    }
    expect_moments(streamed, values);
    while (parts.size() > 1) {  // as a tree, the other way round
      std::vector<ChannelMoments> merged;
      for (std::size_t i = parts.size(); i > 0; i -= std::min<std::size_t>(i, 2)) {
        merged.push_back(parts[i - 1]);
        if (i > 1) merged.back().merge(parts[i - 2]);
      }
      parts = std::move(merged);
    }
    expect_moments(parts.front(), values);
  }
}

TEST(ChannelMomentsTest, ShiftedFarDoesNotCancel) {
  // Exact in float: 1e6 and steps of 1/16. Sums of fourth powers of the values themselves would
  // be off by far more than all that is asked for.
  Matrix values(512, 1);
  for (Index row = 0; row < values.rows(); ++row) {
    values(row, 0) = 1e6F + static_cast<float>(row % 4) * 0.0625F;
  }
  for (const Index piece : {Index{512}, Index{1}, Index{100}}) {
    ChannelMoments moments;
    for (Index first = 0; first < values.rows(); first += piece) {
      moments.observe(values.middleRows(first, std::min(piece, values.rows() - first)), limit);
    }
    // Of 0, 1, 2, 3: m2 = 5/4, m4 = 41/16.
    EXPECT_NEAR(moments.kurtosis()(0), 1.64, 1e-6) << piece;
  }
}

TEST(ChannelMomentsTest, MergeWithEmptyChangesNothing) {
  const Matrix values = hard_values(9);
  ChannelMoments moments;
  moments.observe(Matrix(0, 7), limit);
  EXPECT_TRUE(moments.empty());
  moments.observe(values, limit);
  moments.merge({});
  expect_moments(moments, values);
  ChannelMoments other;
  other.merge(moments);
  expect_moments(other, values);
}

TEST(ChannelMomentsTest, OneToken) {
  Matrix token(1, 3);
  token << -2.5F, 0.0F, 7.0F;
  ChannelMoments one;
  one.observe(token, limit);
  for (Index channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(one.deviation()(channel), 0.0);
    EXPECT_TRUE(std::isnan(one.kurtosis()(channel)));
  }
  EXPECT_EQ(one.beyond()(0), 0.0);
  EXPECT_EQ(one.beyond()(2), 1.0);
}

TEST(ChannelMomentsTest, NanStaysInItsChannel) {
  Matrix values = support::random_matrix(8, 2, 9);
  values(3, 1) = std::numeric_limits<float>::quiet_NaN();
  ChannelMoments moments;
  moments.observe(values.topRows(4), limit);
  moments.observe(values.bottomRows(4), limit);
  EXPECT_TRUE(std::isnan(moments.deviation()(1)));
  EXPECT_TRUE(std::isnan(moments.kurtosis()(1)));
  EXPECT_NEAR(moments.kurtosis()(0), expected_of(values.col(0)).kurtosis, 1e-9);
}

}  // namespace
}  // namespace evenkeel
