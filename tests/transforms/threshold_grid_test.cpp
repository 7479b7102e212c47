#include "transforms/threshold_grid.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// The published loop, stated again.
std::vector<double> published(double largest, double high) {
  const int count = std::max(100, static_cast<int>(std::max(high, 0.0) / 0.5));
  const double step = (largest - 1.0) / count;
  std::vector<double> thresholds;
  double threshold = largest;
  while (threshold >= 1.0) {
    thresholds.push_back(threshold);
    threshold -= step;
  }
  return thresholds;
}

TEST(ThresholdGrid, IsThatOfThePublishedLoop) {
  for (const Range range : {Range{-3.0F, 7.5F}, Range{-80.25F, 12.0F}, Range{-1.0F, 100.3F},
                            Range{-5.0F, -2.0F}, Range{0.0F, 1.0001F}}) {
    const double largest = std::max<double>(range.high, -range.low);
    EXPECT_EQ(threshold_grid(range), published(largest, range.high)) << range.low << range.high;
  }
}

TEST(ThresholdGrid, HasMoreStepsWhereTheInputReachesFar) {
  EXPECT_GE(threshold_grid({-1.0F, 49.0F}).size(), 100U);
  EXPECT_LE(threshold_grid({-1.0F, 49.0F}).size(), 101U);
  EXPECT_GE(threshold_grid({-1.0F, 200.0F}).size(), 400U);
  // Only the positive side counts.
  EXPECT_LE(threshold_grid({-200.0F, 1.0F}).size(), 101U);
}

TEST(ThresholdGrid, IsOneThresholdWhereNothingNeedsScaling) {
  EXPECT_EQ(threshold_grid({-0.5F, 0.25F}), std::vector<double>{0.5});
  EXPECT_EQ(threshold_grid({-1.0F, 1.0F}), std::vector<double>{1.0});
  EXPECT_EQ(threshold_grid({0.0F, 0.0F}), std::vector<double>{0.0});
}

TEST(ThresholdGrid, GoesDownToTheLowestThreshold) {
  const auto thresholds = threshold_grid({-2.0F, 2.0F}, 0.1);
  EXPECT_EQ(thresholds.front(), 2.0);
  EXPECT_GE(thresholds.back(), 0.1);
  EXPECT_LT(thresholds.back(), 0.1 + 1.9 / 100 + 1e-9);
}

TEST(ThresholdGrid, RefusesTheRangeOfABrokenModel) {
  EXPECT_THROW(threshold_grid({-1.0F, 1e30F}), InputError);
}

TEST(ScaleForThreshold, TakesTheLargerSide) {
  const Vector low{{-8.0F, -1.0F, 0.0F, -3.0F}};
  const Vector high{{4.0F, 6.0F, 0.5F, 3.5F}};
  // By hand: 8 / 2; 6 / 2; inside the threshold; 3.5 / 2 above 3 / 2.
  EXPECT_EQ(scale_for_threshold(low, high, 2.0), (Vector{{4.0F, 3.0F, 1.0F, 1.75F}}));
  EXPECT_EQ(scale_for_threshold(low, high, 8.0), (Vector{{1.0F, 1.0F, 1.0F, 1.0F}}));
}

}  // namespace
}  // namespace evenkeel
