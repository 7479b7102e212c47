#include "calib/report/chart.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

TEST(Chart, NamesAreOfLettersAndDigits) {
  EXPECT_EQ(chart_name("Search: blocks.0.mlp"), "search-blocks-0-mlp");
  EXPECT_EQ(chart_name("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(chart_name("\"><script>"), "script");
  EXPECT_EQ(chart_name(""), "chart");
  EXPECT_EQ(chart_name("\xff\xc3\xa4"), "chart");
  EXPECT_LE(chart_name(std::string(1000, 'a')).size(), 80U);
}

TEST(Chart, PooledMapKeepsTheLargest) {
  const HeatMap map{.rows = 2,
                    .columns = 5,
                    .values = {1, 9, 2, 3, 7, gap, gap, 4, gap, -1},
                    .value_name = "v",
                    .log_colour = false};
  const HeatMap half = pooled(map, 3);
  EXPECT_EQ(half.columns, 3U);
  EXPECT_EQ(half.column_width, 2U);
  ASSERT_EQ(half.values.size(), 6U);
  EXPECT_EQ(half.values[0], 9.0);
  EXPECT_EQ(half.values[1], 3.0);
  EXPECT_EQ(half.values[2], 7.0);
  EXPECT_TRUE(std::isnan(half.values[3]));
  EXPECT_EQ(half.values[4], 4.0);
  EXPECT_EQ(half.values[5], -1.0);
  EXPECT_EQ(pooled(half, 1).column_width, 6U);
  EXPECT_EQ(pooled(map, 5).values.size(), map.values.size());
}

TEST(Chart, PooledBandKeepsItsEnds) {
  const BandPlot::Panel panel{.title = "t", .low = {-1, -5, 0}, .high = {1, 2, 8}};
  const BandPlot::Panel shown = pooled(panel, 2);
  EXPECT_EQ(shown.title, "t");
  EXPECT_EQ(shown.low, (std::vector<double>{-5, 0}));
  EXPECT_EQ(shown.high, (std::vector<double>{2, 8}));
}

}  // namespace
}  // namespace evenkeel
