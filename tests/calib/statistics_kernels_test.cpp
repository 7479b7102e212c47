// On every instruction set that this machine has, against loops: what is summed token by token to
// the bit, rows within the rounding of their sums.
#include "calib/statistics_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
// Some of the longest vectors and every rest.
constexpr Index longest = 37;

using StatisticsKernels = support::EachTarget;

std::size_t count_of(Index size) { return static_cast<std::size_t>(size); }

TEST_P(StatisticsKernels, ChannelsAreThoseOfALoop) {
  const Matrix wide = support::random_matrix(23, longest + 3, 1, -3.0F, 5.0F);
  for (Index channels = 1; channels <= longest; ++channels) {
    const auto values = wide.middleCols(2, channels);
    std::vector<float> low(count_of(channels), 0.5F);
    std::vector<float> high(count_of(channels), 0.6F);
    std::vector<double> sums(count_of(channels), 7.0);
    std::vector<double> squares(count_of(channels), 9.0);
    const std::vector<double> means(count_of(channels), 0.25);
    statistics_kernels::add_extrema_and_sums(values, low, high, sums);
    statistics_kernels::add_squares(values, means, squares);
    for (Index c = 0; c < channels; ++c) {
      double sum = 7.0;
      double square = 9.0;
      for (Index row = 0; row < values.rows(); ++row) {
        const auto value = static_cast<double>(values(row, c));
        sum += value;
        square += (value - 0.25) * (value - 0.25);
      }
      EXPECT_EQ(low[count_of(c)], std::min(0.5F, values.col(c).minCoeff()));
      EXPECT_EQ(high[count_of(c)], std::max(0.6F, values.col(c).maxCoeff()));
      EXPECT_EQ(sums[count_of(c)], sum) << c << " of " << channels;
      // A target may add the square without rounding it.
      EXPECT_NEAR(squares[count_of(c)], square, 23 * epsilon * square);
    }
  }
}

TEST_P(StatisticsKernels, HigherPowersAreThoseOfALoop) {
  const Matrix wide = support::random_matrix(23, longest + 3, 1, -3.0F, 5.0F);
  constexpr double limit = 2.5;
  for (Index channels = 1; channels <= longest; ++channels) {
    const auto values = wide.middleCols(2, channels);
    const std::vector<double> means(count_of(channels), 0.25);
    std::vector<double> cubes(count_of(channels), 7.0);
    std::vector<double> fourths(count_of(channels), 9.0);
    std::vector<double> beyond(count_of(channels), 3.0);
    statistics_kernels::add_higher_powers(values, means, limit, cubes, fourths, beyond);
    for (Index c = 0; c < channels; ++c) {
      double cube = 7.0;
      double fourth = 9.0;
      double magnitude = 7.0;
      double count = 3.0;
      for (Index row = 0; row < values.rows(); ++row) {
        const auto value = static_cast<double>(values(row, c));
        cube += std::pow(value - 0.25, 3);
        magnitude += std::abs(std::pow(value - 0.25, 3));
        fourth += std::pow(value - 0.25, 4);
        count += std::abs(value) > limit ? 1.0 : 0.0;
      }
      // Each term is rounded a few times, each sum once a row.
      EXPECT_NEAR(cubes[count_of(c)], cube, 27 * epsilon * magnitude) << c << " of " << channels;
      EXPECT_NEAR(fourths[count_of(c)], fourth, 27 * epsilon * fourth);
      EXPECT_EQ(beyond[count_of(c)], count);
    }
  }
}

TEST_P(StatisticsKernels, BeyondIsFartherThanTheLimit) {
  Matrix values(4, longest);
  values.row(0).setConstant(6.0F);
  values.row(1).setConstant(-6.0F);
  values.row(2).setConstant(std::nextafter(-6.0F, -7.0F));
  values.row(3).setConstant(std::numeric_limits<float>::quiet_NaN());
  const std::vector<double> means(count_of(longest), 0.0);
  std::vector<double> cubes(count_of(longest));
  std::vector<double> fourths = cubes;
  std::vector<double> beyond = cubes;
  statistics_kernels::add_higher_powers(values, means, 6.0, cubes, fourths, beyond);
  for (std::size_t c = 0; c < beyond.size(); ++c) {
    EXPECT_EQ(beyond[c], 1.0) << c;
    EXPECT_TRUE(std::isnan(fourths[c])) << c;
  }
}

TEST_P(StatisticsKernels, RowsAreThoseOfALoop) {
  const Vector all = support::random_vector(longest, 2, -3.0F, 5.0F);
  for (Index size = 1; size <= longest; ++size) {
    const std::vector<float> values(all.data(), all.data() + size);
    double sum = 0.0;
    double magnitude = 0.0;
    double squares = 0.0;
    for (const float value : values) {
      const auto wide = static_cast<double>(value);
      sum += wide;
      magnitude += std::abs(wide);
      squares += (wide - 0.25) * (wide - 0.25);
    }
    const auto summary = statistics_kernels::summary_of(values);
    EXPECT_EQ(summary.low, *std::ranges::min_element(values));
    EXPECT_EQ(summary.high, *std::ranges::max_element(values));
    EXPECT_NEAR(summary.sum, sum, static_cast<double>(size) * epsilon * magnitude);
    EXPECT_NEAR(statistics_kernels::squares_around(0.25, values), squares,
                static_cast<double>(size + 1) * epsilon * squares);
  }
}

TEST_P(StatisticsKernels, NaNStaysInTheSums) {
  Matrix values = Matrix::Ones(3, longest);
  values.row(1).setConstant(std::numeric_limits<float>::quiet_NaN());
  std::vector<float> low(count_of(longest), 0.0F);
  std::vector<float> high = low;
  std::vector<double> sums(count_of(longest), 0.0);
  statistics_kernels::add_extrema_and_sums(values, low, high, sums);
  for (const double sum : sums) EXPECT_TRUE(std::isnan(sum));
  for (Index place = 0; place < longest; ++place) {
    std::vector<float> row(count_of(longest), 1.0F);
    row[count_of(place)] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(statistics_kernels::summary_of(row).sum)) << place;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, StatisticsKernels, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
