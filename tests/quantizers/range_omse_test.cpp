#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/embedding_groups.h"
#include "quantizers/range_method.h"
#include "quantizers/range_observer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

TensorScheme omse(int bits, bool symmetric, Granularity granularity = Granularity::per_tensor) {
  return {.bits = bits,
          .granularity = granularity,
          .symmetric = symmetric,
          .range = RangeEstimator::omse,
          .groups = 3};
}

double squared_error(const Matrix& values, Range range, const TensorScheme& scheme) {
  const AffineParameters parameters = affine_parameters(range, scheme.bits, scheme.symmetric);
  double sum = 0.0;
  for (const float value : values.reshaped()) {
    const float quantized = reference::dequantize(
        reference::quantize(value, parameters, code_range(scheme.bits, scheme.symmetric)),
        parameters);
    const double error = static_cast<double>(value) - static_cast<double>(quantized);
    sum += error * error;
  }
  return sum;
}

// The definition, one candidate at a time, over matrices that share a range.
Range plain(const std::vector<Matrix>& values, const TensorScheme& scheme) {
  Range extrema = range_of_matrix(values.front());
  for (const Matrix& one : values) extrema = widened(extrema, range_of_matrix(one));
  Range best;
  double least = std::numeric_limits<double>::infinity();
  for (int f = 100; f > 0; --f) {
    const double part = f / 100.0;
    const Range range{static_cast<float>(part * static_cast<double>(extrema.low)),
                      static_cast<float>(part * static_cast<double>(extrema.high))};
    double error = 0.0;
    for (const Matrix& one : values) error += squared_error(one, range, scheme);
    if (error < least) best = range;
    least = std::min(least, error);
  }
  return best;
}

Matrix with_outlier(Index rows, Index columns, std::uint32_t seed) {
  Matrix values = support::random_matrix(rows, columns, seed);
  values(0, columns / 2) = 30.0F;
  return values;
}

std::vector<Matrix> adversarial() {
  return {support::random_matrix(12, 70, 1),
          with_outlier(12, 70, 2),
          Matrix::Zero(3, 4),
          Matrix::Constant(3, 4, 0.7F),
          Matrix::Constant(3, 4, -0.7F),
          support::random_matrix(1, 9, 3),
          support::random_matrix(1, 1, 4)};
}

std::vector<Range> streamed(const Matrix& values, const TensorScheme& scheme) {
  RangeObserver total(scheme);
  bool again = true;
  while (again) {
    for (Index row = 0; row < values.rows(); ++row) {
      RangeObserver part = total.part();
      part.observe(values.row(row), row);
      total.merge(part);
    }
    again = total.end_pass();
  }
  return total.finish();
}

TEST(Omse, IsTheCandidateOfLeastError) {
  for (const bool symmetric : {false, true}) {
    for (const int bits : {2, 4, 8}) {
      const TensorScheme scheme = omse(bits, symmetric);
      for (const Matrix& values : adversarial()) {
        const Range expected = plain({values}, scheme);
        EXPECT_EQ(range_by(scheme, values), expected) << bits;
        EXPECT_EQ(streamed(values, scheme), std::vector<Range>{expected}) << bits;
      }
    }
  }
  // It does clip, so that the test above is not of MinMax.
  const Matrix values = support::random_matrix(12, 70, 1);
  EXPECT_LT(plain({values}, omse(2, true)).high, 0.95F * values.maxCoeff());
}

TEST(Omse, ChannelsAreApart) {
  const TensorScheme scheme = omse(4, false, Granularity::per_channel);
  const Matrix values = with_outlier(40, 7, 5);
  const std::vector<Range> ranges = streamed(values, scheme);
  ASSERT_EQ(ranges.size(), 7U);
  for (Index channel = 0; channel < 7; ++channel) {
    EXPECT_EQ(ranges[static_cast<std::size_t>(channel)], plain({values.col(channel)}, scheme));
  }
}

TEST(Omse, AGroupOfChannelsSharesTheLeastSum) {
  const TensorScheme scheme = omse(4, true, Granularity::per_embedding_group);
  const Matrix values = with_outlier(40, 8, 6);
  std::vector<Range> extrema;
  for (Index channel = 0; channel < 8; ++channel) {
    extrema.push_back(range_of_matrix(Matrix(values.col(channel))));
  }
  const std::vector<std::size_t> groups = embedding_groups(extrema, scheme);
  const std::vector<Range> ranges = streamed(values, scheme);
  for (std::size_t channel = 0; channel < 8; ++channel) {
    std::vector<Matrix> members;
    for (std::size_t other = 0; other < 8; ++other) {
      if (groups[other] == groups[channel])
        members.emplace_back(values.col(static_cast<Index>(other)));
    }
    EXPECT_EQ(ranges[channel], plain(members, scheme));
  }
}

TEST(Omse, CodesNeedNotBeUniform) {
  TensorScheme scheme = omse(3, false);
  scheme.codes = Codes::logarithmic;
  Matrix values = Matrix::Constant(1, 400, 0.1F);
  values(0, 0) = 0.9F;  // one value may be clipped for all others to be met
  const Range range = range_by(scheme, values);
  EXPECT_EQ(streamed(values, scheme), std::vector<Range>{range});
  EXPECT_LT(range.high, 0.9F);
}

}  // namespace
}  // namespace evenkeel
