#include "calib/report/chart_csv.h"

#include <limits>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

TEST(ChartCsv, Curves) {
  const Chart chart{
      .name = "c",
      .title = "t",
      .x_name = "megabytes",
      .plot = CurvePlot{{{.name = "a, \"b\"\nc", .points = {{0.1, 1e-7}, {2, gap}}}}}};
  EXPECT_EQ(csv_of(chart),
            "curve,megabytes,y\n\"a, \"\"b\"\"\nc\",0.1,1e-07\n\"a, \"\"b\"\"\nc\",2,\n");
}

TEST(ChartCsv, TextsAreNoFormulas) {
  const Chart chart{.name = "c",
                    .title = "t",
                    .plot = CategoryPlot{.categories = {"=1+1", "@x", "-", "ok"},
                                         .series = {{"+s", {-1.5, 2, 3, 4}, {0.5, 0, 0, gap}}}}};
  EXPECT_EQ(csv_of(chart),
            "category,series,value,error\n'=1+1,'+s,-1.5,0.5\n'@x,'+s,2,0\n'-,'+s,3,0\n"
            "ok,'+s,4,\n");
}

TEST(ChartCsv, BandsMapsAndHistograms) {
  EXPECT_EQ(csv_of({.name = "c",
                    .title = "t",
                    .plot = BandPlot{{{.title = "before", .low = {-1, -2}, .high = {1, 2}},
                                      {.title = "after", .low = {-3}, .high = {gap}}}}}),
            "panel,channel,low,high\nbefore,0,-1,1\nbefore,1,-2,2\nafter,0,-3,\n");
  EXPECT_EQ(csv_of({.name = "c",
                    .title = "t",
                    .y_name = "block",
                    .plot = HeatMap{.rows = 2,
                                    .columns = 2,
                                    .values = {1, 2.5, gap, 4},
                                    .value_name = "v",
                                    .log_colour = false,
                                    .column_width = 8}}),
            "block,0,8\n0,1,2.5\n1,,4\n");
  EXPECT_EQ(
      csv_of({.name = "c",
              .title = "t",
              .plot = HistogramPlot{{{.name = "h", .edges = {0, 0.5, 2}, .counts = {3, 0}}}}}),
      "series,from,to,count\nh,0,0.5,3\nh,0.5,2,0\n");
}

}  // namespace
}  // namespace evenkeel
