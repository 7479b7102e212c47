#include "calib/analysis/outlier_rule.h"

#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr AnalysisOptions published;

// `beyond[b]`: in how many of 100 tokens of block b channel 1 of 3 has -7; elsewhere 1.
OutlierCounts counts_of(const std::vector<Index>& beyond, float magnitude = 7.0F) {
  OutlierCounts counts;
  for (const Index tokens : beyond) {
    Matrix values = Matrix::Ones(100, 3);
    values.col(1).head(tokens).setConstant(-magnitude);
    ChannelMoments moments;
    moments.observe(values, published.outlier_threshold);
    counts.add_block(moments);
  }
  return counts;
}

bool is_outlier(const std::vector<Index>& beyond, const AnalysisOptions& options = published) {
  const auto found = counts_of(beyond).outliers(options);
  EXPECT_LE(found.size(), 1U);
  return !found.empty() && found.front().channel == 1;
}

TEST(OutlierRuleTest, SharesAreSaid) {
  const auto found = counts_of({30, 0, 10, 0}).outliers(published);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], (OutlierChannel{.channel = 1, .absmax = 7.0, .blocks = 0.5, .tokens = 0.1}));
}

TEST(OutlierRuleTest, BlocksMustBeMoreThanTheShare) {
  EXPECT_FALSE(is_outlier({100, 0, 0, 0}));  // a quarter, in a quarter of the tokens
  EXPECT_TRUE(is_outlier({99, 1, 0, 0}));
  EXPECT_TRUE(is_outlier({100}));
}

TEST(OutlierRuleTest, TokensMustBeMoreThanTheShareOverAllBlocks) {
  EXPECT_FALSE(is_outlier({6, 6}));
  EXPECT_TRUE(is_outlier({6, 7}));
  EXPECT_FALSE(is_outlier({12, 0}));
  EXPECT_TRUE(is_outlier({13, 0}));
  EXPECT_FALSE(is_outlier({1, 1, 1, 1}));  // in each block, but seldom
}

TEST(OutlierRuleTest, MustExceedTheThreshold) {
  EXPECT_TRUE(counts_of({50, 50}, 6.0F).outliers(published).empty());
  EXPECT_EQ(counts_of({50, 50}, 6.001F).outliers(published).size(), 1U);
}

TEST(OutlierRuleTest, SharesOfZeroAskForOneToken) {
  AnalysisOptions any = published;
  any.outlier_blocks = 0.0;
  any.outlier_tokens = 0.0;
  EXPECT_TRUE(is_outlier({0, 1, 0, 0}, any));
  EXPECT_FALSE(is_outlier({0, 0}, any));
  AnalysisOptions none = any;
  none.outlier_tokens = 1.0;  // nothing is more than all
  EXPECT_FALSE(is_outlier({100, 100}, none));
}

TEST(OutlierRuleTest, NothingSeenHasNone) {
  EXPECT_TRUE(OutlierCounts().outliers(published).empty());
}

}  // namespace
}  // namespace evenkeel
