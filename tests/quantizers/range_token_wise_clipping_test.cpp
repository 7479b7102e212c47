#include <cstdint>
#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/range_observer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

TensorScheme clipping(double clip) {
  return {.range = RangeEstimator::token_wise_clipping, .clip = clip};
}

Matrix tokens(std::initializer_list<Range> ranges) {
  Matrix values(static_cast<Index>(ranges.size()), 2);
  Index row = 0;
  for (const Range& range : ranges) {
    values(row, 0) = range.low;
    values(row++, 1) = range.high;
  }
  return values;
}

TEST(TokenWiseClipping, CutsTheTokensThatReachFarthest) {
  RangeObserver observer(clipping(0.25));
  // Largest 1, 2, 3, 4, 50: quantile 0.75 is 4. Smallest -9, -1, -1, -1, -1: quantile 0.75 is 1.
  observer.observe(tokens({{-9, 1}, {-1, 2}, {-1, 3}, {-1, 4}, {-1, 50}}), 0);
  EXPECT_FALSE(observer.end_pass());
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{-1, 4}}));
}

TEST(TokenWiseClipping, EndsAreTokensOwnAndMagnitudesCount) {
  // Largest -8, -2, 1, 3: magnitudes 1, 2, 3, 8 have 2.5 as their median; -8 is below it, too.
  RangeObserver observer(clipping(0.5));
  observer.observe(tokens({{-8, -8}, {-8, -2}, {-8, 1}, {-8, 3}}), 0);
  EXPECT_FALSE(observer.end_pass());
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{-8, 1}}));
}

TEST(TokenWiseClipping, IsTheMeanOverBatches) {
  RangeObserver observer(clipping(0.5));
  observer.observe(tokens({{0, 1}, {0, 2}, {0, 3}}), 0);
  observer.observe(tokens({{-4, 6}}), 1);
  EXPECT_FALSE(observer.end_pass());
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{-2, 4}}));
}

TEST(TokenWiseClipping, OfNothingIsAverageMinMaxHoweverItIsSplit) {
  RangeObserver clip(clipping(0.0));
  RangeObserver average({.range = RangeEstimator::average_minmax});
  for (std::uint32_t batch = 0; batch < 3; ++batch) {
    const Matrix values = support::random_matrix(7, 11, batch);
    average.observe(values, batch);
    for (Index row = 7; row-- > 0;) {
      RangeObserver part = clip.part();
      part.observe(values.row(row), batch);
      clip.merge(part);
    }
  }
  EXPECT_FALSE(clip.end_pass());
  EXPECT_EQ(clip.finish(), average.finish());
}

}  // namespace
}  // namespace evenkeel
