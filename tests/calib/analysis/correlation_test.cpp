#include "calib/analysis/correlation.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Values = std::vector<double>;

TEST(CorrelationTest, PearsonByHand) {
  EXPECT_NEAR(*pearson(Values{1, 2, 3}, Values{1, 3, 2}), 0.5, 1e-15);
  EXPECT_DOUBLE_EQ(*pearson(Values{1, 2, 3}, Values{-10, -20, -30}), -1.0);
  // Far from zero.
  EXPECT_NEAR(*pearson(Values{1e9 + 1, 1e9 + 2, 1e9 + 3}, Values{1, 3, 2}), 0.5, 1e-12);
}

TEST(CorrelationTest, NothingToCorrelate) {
  EXPECT_FALSE(pearson(Values{}, Values{}));
  EXPECT_FALSE(pearson(Values{1}, Values{2}));
  EXPECT_FALSE(pearson(Values{0.1, 0.1, 0.1}, Values{1, 2, 3}));
  EXPECT_FALSE(pearson(Values{1, 2, 3}, Values{0, 0, 0}));
  EXPECT_FALSE(pearson(Values{0, 1e-200}, Values{0, 1e-200}));  // squares below any double
  EXPECT_FALSE(spearman(Values{1, 2}, Values{5, 5}));
}

TEST(CorrelationTest, TiesShareTheMeanOfTheirRanks) {
  EXPECT_EQ(ranks_of(Values{30, 10, 20}), (Values{3, 1, 2}));
  EXPECT_EQ(ranks_of(Values{5, 1, 5, 5, 0}), (Values{4, 2, 4, 4, 1}));
  EXPECT_EQ(ranks_of(Values{7, 7}), (Values{1.5, 1.5}));
  EXPECT_EQ(ranks_of(Values{0.0, -0.0}), (Values{1.5, 1.5}));
  EXPECT_TRUE(ranks_of(Values{}).empty());
}

TEST(CorrelationTest, SpearmanSeesOrderAlone) {
  EXPECT_DOUBLE_EQ(*spearman(Values{1, 2, 3, 4}, Values{1, 10, 100, 1000}), 1.0);
  EXPECT_DOUBLE_EQ(*spearman(Values{1, 2, 3, 4}, Values{9, 3, 0, -50}), -1.0);
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(*spearman(Values{0, 1, 1, 2}, Values{0, 7, 3, 8}), 4.5 / std::sqrt(22.5), 1e-15);
}

}  // namespace
}  // namespace evenkeel
