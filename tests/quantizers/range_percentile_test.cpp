#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/range_method.h"
#include "quantizers/range_observer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

TensorScheme percentile(double p, Granularity granularity = Granularity::per_tensor) {
  return {.granularity = granularity, .range = RangeEstimator::percentile, .percentile = p};
}

// By sorting everything, as numpy.quantile does.
float sorted_quantile(std::vector<float> values, double q) {
  std::ranges::sort(values);
  const double index = static_cast<double>(values.size() - 1) * q;
  const auto below = static_cast<std::size_t>(index);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double t = index - std::floor(index);
  const auto a = static_cast<double>(values[below]);
  const auto b = static_cast<double>(values[above]);
  return static_cast<float>(t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t));
}

Range sorted_range(const Matrix& values, double p) {
  const std::vector<float> all(values.data(), values.data() + values.size());
  return {sorted_quantile(all, 1.0 - p), sorted_quantile(all, p)};
}

std::vector<Matrix> adversarial() {
  Matrix outlier = support::random_matrix(20, 50, 1);
  outlier(3, 7) = 1e30F;
  Matrix tiny = support::random_matrix(3, 40, 2) * std::numeric_limits<float>::denorm_min() * 9.0F;
  Matrix zeros = Matrix::Zero(4, 5);
  zeros(1, 1) = -0.0F;
  return {support::random_matrix(16, 333, 3),
          outlier,
          tiny,
          zeros,
          Matrix::Constant(5, 4, -2.5F),
          support::random_matrix(1, 1, 4),
          support::random_matrix(1, 2, 5),
          -support::random_matrix(9, 9, 6).cwiseAbs()};
}

// Two observers that see alternate rows, merged in every pass.
std::vector<Range> streamed(const Matrix& values, const TensorScheme& scheme) {
  RangeObserver total(scheme);
  bool again = true;
  while (again) {
    std::vector<RangeObserver> parts{total.part(), total.part()};
    for (Index row = 0; row < values.rows(); ++row) {
      parts[static_cast<std::size_t>(row % 2)].observe(values.row(row), 0);
    }
    total.merge(parts[1]);
    total.merge(RangeObserver(parts[0]));
    again = total.end_pass();
  }
  return total.finish();
}

TEST(Percentile, StreamedIsSortedToTheBit) {
  for (const double p : {0.51, 0.6, 0.9, 0.999, 0.9999, 1.0}) {
    for (const Matrix& values : adversarial()) {
      EXPECT_EQ(streamed(values, percentile(p)), (std::vector<Range>{sorted_range(values, p)}))
          << p << ' ' << values.rows() << " x " << values.cols();
    }
  }
}

TEST(Percentile, OfValuesAtHandIsSortedToTheBit) {
  for (const double p : {0.51, 0.6, 0.9, 0.999, 0.9999, 1.0}) {
    for (const Matrix& values : adversarial()) {
      EXPECT_EQ(range_by(percentile(p), values), sorted_range(values, p)) << p;
    }
  }
}

TEST(Percentile, HeadsAreApart) {
  const Matrix first = support::random_matrix(8, 30, 7);
  const Matrix second = support::random_matrix(8, 30, 8);
  RangeObserver observer(percentile(0.9, Granularity::per_head));
  do {
    observer.observe(second, 0, 1);
    observer.observe(first, 0, 0);
  } while (observer.end_pass());
  EXPECT_EQ(observer.finish(),
            (std::vector<Range>{sorted_range(first, 0.9), sorted_range(second, 0.9)}));
}

TEST(Percentile, NotFiniteValuesStayAsTheyAre) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Matrix values = support::random_matrix(1, 100, 9);
    values(0, 50) = wrong;
    const Range range = range_by(percentile(0.9), values);
    EXPECT_FALSE(std::isfinite(range.high));
  }
}

TEST(Percentile, OfChannelsIsRefused) {
  Scheme scheme;
  scheme.activations = percentile(0.9, Granularity::per_channel);
  EXPECT_EQ(faults_of(scheme),
            (std::vector<std::string>{
                "activations: range percentile would have to count the values of each channel, "
                "which takes more memory than the model; with per_channel use omse, minmax or "
                "average_minmax"}));
  scheme.activations.granularity = Granularity::per_tensor;
  scheme.weights = percentile(0.9, Granularity::per_channel);
  EXPECT_TRUE(faults_of(scheme).empty());
  for (const double p : {0.5, 1.1}) {
    scheme.activations.percentile = p;
    ASSERT_EQ(faults_of(scheme).size(), 1U);
    EXPECT_TRUE(faults_of(scheme)[0].starts_with(
        "activations: percentile must be above 0.5 and at most 1, not "));
  }
}

}  // namespace
}  // namespace evenkeel
