#include "calib/report/drawing.h"

#include <filesystem>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

class Drawing : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_draw()) GTEST_SKIP() << "gnuplot is not installed";
  }
  static std::string drawn(const Chart& chart) { return draw({chart})->front().value_or(""); }
};

Chart two_curves() {
  return {.name = "curves",
          .title = "a \"title\" with `marks` \\n <b>",
          .x_name = "x",
          .y_name = "y",
          .log_x = true,
          .plot = CurvePlot{{{.name = "one", .points = {{1.0, 2.0}, {2.0, 3.0}, {-1.0, 3.0}}},
                             {.name = "$two", .points = {{1.0, infinite}, {4.0, 1.0}}},
                             {.name = "best", .points = {{2.0, 3.0}}, .line = false, .rings = true},
                             {.name = "empty", .points = {{-1.0, 1.0}}}}}};
}

TEST_F(Drawing, IsOneElementWithACurveForEach) {
  const std::string svg = drawn(two_curves());
  EXPECT_EQ(svg.find("<svg"), 0U);
  EXPECT_EQ(svg.find("<?xml"), std::string::npos);
  EXPECT_EQ(svg.find("<title>"), std::string::npos);
  EXPECT_NE(svg.find("$two"), std::string::npos);
  EXPECT_NE(svg.find("a 'title' with marks n &lt;b>"), std::string::npos);
  EXPECT_EQ(count_of(svg, "id=\"chart_curves_plot_"), 3U);  // what is all gaps has none
  // Between powers of ten there are labels, too.
  EXPECT_NE(svg.find("<text> 4</text>"), std::string::npos);
  // The same job leaves the same bytes.
  EXPECT_EQ(svg, drawn(two_curves()));
}

TEST_F(Drawing, OfGapsIsNone) {
  const auto drawings = *draw({Chart{},
                               two_curves(),
                               {.name = "b", .title = "b", .plot = BandPlot{{{"", {gap}, {gap}}}}},
                               {.name = "h", .title = "h", .plot = HistogramPlot{{{"", {}, {}}}}},
                               {.name = "m", .title = "m", .plot = HeatMap{}},
                               {.name = "c", .title = "c", .plot = CategoryPlot{}}});
  ASSERT_EQ(drawings.size(), 6U);
  for (std::size_t i = 0; i < drawings.size(); ++i) EXPECT_EQ(drawings[i].has_value(), i == 1);
}

TEST_F(Drawing, OfManyChartsKeepsTheirOrder) {
  std::vector<Chart> charts;
  for (int i = 0; i < 60; ++i) {
    charts.push_back({.name = "chart-" + std::to_string(i),
                      .title = "title " + std::to_string(i),
                      .plot = CurvePlot{{{.name = "c", .points = {{0, i}, {1, 2}}}}}});
  }
  const auto drawings = *draw(charts);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    ASSERT_TRUE(drawings[i]);
    EXPECT_NE(drawings[i]->find(">title " + std::to_string(i) + "<"), std::string::npos);
    EXPECT_NE(drawings[i]->find("\"chart_chart_" + std::to_string(i) + "_plot_1\""),
              std::string::npos);
  }
  // What one chart sets holds for no other (but in an empty group at the top).
  const auto from_first_group = [](const std::string& svg) {
    return svg.substr(svg.find("</g>", svg.find("</defs>")));
  };
  EXPECT_EQ(from_first_group(*drawings.back()), from_first_group(drawn(charts.back())));
}

TEST_F(Drawing, MarksAValueAlongX) {
  const Chart plain{.name = "c",
                    .title = "t",
                    .log_y = true,
                    .plot = CurvePlot{{{.name = "loss", .points = {{1, 10}, {3, 4e5}}}}}};
  Chart marked = plain;
  std::get<CurvePlot>(marked.plot).mark = CurvePlot::Mark{"chosen: 2", 2.0};
  const std::string svg = drawn(marked);
  EXPECT_NE(svg.find("chosen: 2"), std::string::npos);
  EXPECT_GT(count_of(svg, "stroke-dasharray"), count_of(drawn(plain), "stroke-dasharray"));
}

TEST_F(Drawing, BarsStandForEachSeriesAndCategory) {
  CategoryPlot plot{.categories = {"a", "b", "c"},
                    .series = {{"one", {1, 20, 4e5}, {0.5, 1, 1e4}}, {"two", {2, gap, 3}}}};
  const auto chart = [&](bool log) {
    return Chart{.name = "c", .title = "t", .x_name = "perplexity", .log_x = log, .plot = plot};
  };
  for (const bool log : {false, true}) {
    const std::string svg = drawn(chart(log));
    EXPECT_EQ(count_of(svg, "id=\"chart_c_plot_"), 3U);  // two series, bars of error of one
    for (const char* name : {"a", "b", "c", "one", "two"}) {
      EXPECT_NE(svg.find(std::string(name) + "</text>"), std::string::npos) << name;
    }
  }
  plot.form = CategoryPlot::Form::points;
  EXPECT_EQ(count_of(drawn(chart(false)), "id=\"chart_c_plot_"), 2U);
  plot.form = CategoryPlot::Form::stacked;
  EXPECT_EQ(count_of(drawn(chart(false)), "id=\"chart_c_plot_"), 2U);
}

TEST_F(Drawing, BarsOfManyLongNamesShowAllOfThem) {
  CategoryPlot plot;
  Series series{.name = "s", .values = {}};
  for (int i = 0; i < 25; ++i) {
    plot.categories.push_back("calibration corpus number " + std::to_string(i) + " w8a8 os_plus");
    series.values.push_back(i + 1);
  }
  plot.series.push_back(series);
  const std::string svg = drawn({.name = "c", .title = "t", .plot = plot});
  for (const std::string& name : plot.categories) {
    EXPECT_NE(svg.find(name), std::string::npos) << name;
  }
}

TEST_F(Drawing, LogarithmicColoursWithinAPowerOfTenHaveLabels) {
  const auto chart = [](double largest) {
    return Chart{.name = "m",
                 .title = "t",
                 .plot = HeatMap{.rows = 2,
                                 .columns = 2,
                                 .values = {0.01, 2.5, 2.6, largest},
                                 .value_name = "v",
                                 .log_colour = true,
                                 .floor = 2.5}};
  };
  const std::string narrow = drawn(chart(6.0));
  EXPECT_NE(narrow.find("<text> 5</text>"), std::string::npos);
  EXPECT_EQ(drawn(chart(2000.0)).find("<text> 5</text>"), std::string::npos);
}

TEST_F(Drawing, MapsOfFewRowsHaveATicForEach) {
  const std::string svg =
      drawn({.name = "m",
             .title = "t",
             .plot = HeatMap{.rows = 3,
                             .columns = 3,
                             .values = {100, 200, 300, 200, 100, 400, 300, 400, 100},
                             .value_name = "v"}});
  EXPECT_EQ(svg.find("0.5</text>"), std::string::npos);
  EXPECT_EQ(count_of(svg, "2</text>"), 2U);
}

TEST_F(Drawing, BandsAreFilledInAPanelEach) {
  BandPlot::Panel wide{.title = "before", .low = {}, .high = {}};
  for (int i = 0; i < 4096; ++i) {
    wide.low.push_back(i == 17 ? -70.0 : -1.0);
    wide.high.push_back(i == 99 ? 40.0 : 1.0);
  }
  const std::string svg = drawn({.name = "b",
                                 .title = "ranges",
                                 .x_name = "channel",
                                 .plot = BandPlot{{wide, {"after", {-1, -2, -1}, {1, 2, 2}}}}});
  EXPECT_NE(svg.find("id=\"chart_b_plot_1a\""), std::string::npos);
  EXPECT_NE(svg.find("id=\"chart_b_plot_1b\""), std::string::npos);
  EXPECT_NE(svg.find(">ranges<"), std::string::npos);
  EXPECT_LT(svg.size(), 100000U);
}

TEST_F(Drawing, MapIsAnImageInside) {
  HeatMap map{.rows = 48, .columns = 4096, .values = {}, .value_name = "of median"};
  for (std::size_t i = 0; i < map.rows * map.columns; ++i) {
    map.values.push_back(static_cast<double>(1 + (i * 2654435761U) % 1000));
  }
  for (const bool log : {false, true}) {
    map.log_colour = log;
    const std::string svg = drawn({.name = "m", .title = "outliers", .plot = map});
    EXPECT_EQ(count_of(svg, "data:image/png;base64,"), 1U);
    EXPECT_NE(svg.find("of median"), std::string::npos);
    EXPECT_LT(svg.size(), 200000U);
  }
  // One row, one column, one value, all the same.
  for (const auto& [rows, columns] : {std::pair{1U, 5U}, {5U, 1U}, {1U, 1U}}) {
    const HeatMap small{.rows = rows,
                        .columns = columns,
                        .values = std::vector<double>(rows * columns, 3.0),
                        .value_name = "v",
                        .log_colour = true};
    EXPECT_EQ(count_of(drawn({.name = "m", .title = "t", .plot = small}), "data:image/png"), 1U);
  }
}

TEST_F(Drawing, HistogramHasAnOutlineForEach) {
  const HistogramPlot plot{{{"before", {-2, -1, 0, 1}, {5, 0, 1e6}}, {"after", {0, 1}, {3}}}};
  for (const bool log : {false, true}) {
    const std::string svg = drawn({.name = "h", .title = "t", .log_y = log, .plot = plot});
    EXPECT_EQ(count_of(svg, "id=\"chart_h_plot_"), 4U);
    EXPECT_NE(svg.find("before"), std::string::npos);
  }
}

TEST_F(Drawing, NoTextIsACommandAFormatOrMarkup) {
  const std::string hostile =
      "</svg><script>alert(1)</script>%s %n`touch hostile`\\\" \xff\x7f\nEND\n; system 'touch "
      "hostile' @END {/Bold x} \"; quit";
  const auto curve = [&] { return Curve{.name = hostile, .points = {{1.0, 2.0}, {2.0, 3.0}}}; };
  const std::vector<Chart> charts{
      {.name = "a",
       .title = hostile,
       .x_name = hostile,
       .y_name = hostile,
       .plot = CurvePlot{{curve()}, CurvePlot::Mark{hostile, 1.5}}},
      {.name = "b",
       .title = hostile,
       .x_name = hostile,
       .y_name = hostile,
       .plot = CategoryPlot{.categories = {hostile, "%d%%", ""},
                            .series = {{hostile, {1, 2, 3}}, {hostile, {1, 2, 3}}}}},
      {.name = "c",
       .title = hostile,
       .x_name = hostile,
       .y_name = hostile,
       .plot = BandPlot{{{hostile, {0, 0}, {1, 1}}}}},
      {.name = "d",
       .title = hostile,
       .x_name = hostile,
       .y_name = hostile,
       .plot = HeatMap{.rows = 1, .columns = 2, .values = {1, 2}, .value_name = hostile}},
      {.name = "e",
       .title = hostile,
       .x_name = hostile,
       .y_name = hostile,
       .plot = HistogramPlot{{{hostile, {0, 1}, {1}}}}}};
  const auto drawings = *draw(charts);
  for (const auto& svg : drawings) {
    ASSERT_TRUE(svg);
    EXPECT_EQ(svg->find("<script"), std::string::npos);
    EXPECT_EQ(count_of(*svg, "</svg>"), 1U);
    EXPECT_NE(svg->find("&lt;script>alert(1)"), std::string::npos);
    EXPECT_EQ(svg->find('\xff'), std::string::npos);
    EXPECT_NE(svg->find("%s %n"), std::string::npos);
  }
  EXPECT_NE(drawings[1]->find(">%d%%<"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists("hostile"));
}

}  // namespace
}  // namespace evenkeel
