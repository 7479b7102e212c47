#include "calib/analysis/mean_map.h"

#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

Vector row(std::initializer_list<float> values) {
  Vector result(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

TEST(MeanMapTest, EndsAreOneInAHundredRoundedUp) {
  std::vector<Vector> means{Vector::LinSpaced(100, 0.0F, 99.0F), Vector::Constant(100, 50.0F)};
  auto ends = mean_ends(means);
  EXPECT_EQ(ends.top, (std::vector<MeanEntry>{{0, 99, 99.0F}, {0, 98, 98.0F}}));
  EXPECT_EQ(ends.bottom, (std::vector<MeanEntry>{{0, 0, 0.0F}, {0, 1, 1.0F}}));
  means.push_back(row({1000.0F}));
  ends = mean_ends(means);
  ASSERT_EQ(ends.top.size(), 3U);
  EXPECT_EQ(ends.top.front(), (MeanEntry{2, 0, 1000.0F}));
}

TEST(MeanMapTest, OfOneValueAndOfTies) {
  const auto one = mean_ends({row({-2.0F})});
  EXPECT_EQ(one.top, one.bottom);
  EXPECT_EQ(one.top, (std::vector<MeanEntry>{{0, 0, -2.0F}}));
  const auto ties = mean_ends({row({1.0F, 3.0F}), row({3.0F, 1.0F})});
  EXPECT_EQ(ties.top, (std::vector<MeanEntry>{{0, 1, 3.0F}}));
  EXPECT_EQ(ties.bottom, (std::vector<MeanEntry>{{0, 0, 1.0F}}));
}

TEST(MeanMapTest, PoolsNeighboursAndWhatIsLeft) {
  const Vector values = row({1.0F, -2.0F, 5.0F, 4.0F, -7.0F});
  const Pooled two = pooled(values, 2);
  EXPECT_EQ(two.low, (std::vector<float>{-2.0F, 4.0F, -7.0F}));
  EXPECT_EQ(two.high, (std::vector<float>{1.0F, 5.0F, -7.0F}));
  const Pooled all = pooled(values, 32);
  EXPECT_EQ(all.low, std::vector<float>{-7.0F});
  EXPECT_EQ(all.high, std::vector<float>{5.0F});
  EXPECT_EQ(pooled(values, 1).low, (std::vector<float>{values.begin(), values.end()}));
}

}  // namespace
}  // namespace evenkeel
