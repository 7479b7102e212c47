#include "calib/analysis/histogram.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Counts = std::vector<std::int64_t>;
constexpr float infinity = std::numeric_limits<float>::infinity();

Histogram histogram_of(const std::vector<float>& values, double width, int bins) {
  Histogram histogram(width, bins);
  histogram.observe(values);
  return histogram;
}

TEST(HistogramTest, EveryEdgeHasItsBin) {
  // Bins of 0.5: each holds its low end, the last one its high end too.
  const auto histogram = histogram_of({-1.0F, -0.5F, 0.0F, 0.5F, 1.0F, 0.25F, -0.75F}, 1.0, 4);
  EXPECT_EQ(histogram.counts(), (Counts{2, 1, 2, 2}));
  EXPECT_EQ(histogram.below(), 0);
  EXPECT_EQ(histogram.above(), 0);
}

TEST(HistogramTest, OutsideIsCountedApart) {
  const float above = std::nextafter(1.0F, 2.0F);
  const auto histogram = histogram_of({above, -above, infinity, -infinity, -7.0F, 0.0F}, 1.0, 3);
  EXPECT_EQ(histogram.counts(), (Counts{0, 1, 0}));
  EXPECT_EQ(histogram.below(), 3);
  EXPECT_EQ(histogram.above(), 2);
}

TEST(HistogramTest, NanCountsAsAbove) {
  const auto histogram = histogram_of({std::numeric_limits<float>::quiet_NaN()}, 1.0, 3);
  EXPECT_EQ(histogram.counts(), (Counts{0, 0, 0}));
  EXPECT_EQ(histogram.above(), 1);
}

TEST(HistogramTest, ZeroIsTheMiddleOfOddBins) {
  for (const int bins : {1, 3, 201}) {
    const auto histogram = histogram_of({0.0F, -0.0F, 1e-30F, -1e-30F}, 0.3, bins);
    EXPECT_EQ(histogram.counts()[static_cast<std::size_t>(bins / 2)], 4) << bins;
  }
}

TEST(HistogramTest, TheEndsOfAnyWidthAreInside) {
  for (const float width : {1e-6F, 0.1F, 0.3F, 7.7F, 1e6F}) {
    const auto histogram = histogram_of({width, -width}, static_cast<double>(width), 201);
    EXPECT_EQ(histogram.counts().front(), 1) << width;
    EXPECT_EQ(histogram.counts().back(), 1) << width;
  }
}

TEST(HistogramTest, MergedIsWhole) {
  const std::vector<float> values{-2.0F, -0.9F, 0.1F, 0.2F, 0.9F, 3.0F};
  const auto whole = histogram_of(values, 1.0, 5);
  auto merged = histogram_of({values.begin(), values.begin() + 2}, 1.0, 5);
  merged.merge(histogram_of({values.begin() + 2, values.end()}, 1.0, 5));
  EXPECT_EQ(merged.counts(), whole.counts());
  EXPECT_EQ(merged.below(), 1);
  EXPECT_EQ(merged.above(), 1);
}

}  // namespace
}  // namespace evenkeel
