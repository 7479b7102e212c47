#include "calib/report/chart.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

Chart two_curves() {
  return {.title = "a \"title\" with `marks` \\n <b>",
          .x_name = "x",
          .y_name = "y",
          .log_x = true,
          .curves = {{.name = "one", .points = {{1.0, 2.0}, {2.0, 3.0}, {-1.0, 3.0}}},
                     {.name = "$two",
                      .points = {{1.0, std::numeric_limits<double>::infinity()}, {4.0, 1.0}}}}};
}

TEST(Chart, IsOneElementWithACurveForEach) {
  if (!can_draw()) GTEST_SKIP() << "gnuplot is not installed";
  const auto svg = draw(two_curves(), "chart1");
  ASSERT_TRUE(svg.has_value());
  EXPECT_EQ(svg->find("<svg"), 0U);
  EXPECT_EQ(svg->find("<?xml"), std::string::npos);
  EXPECT_NE(svg->find("$two"), std::string::npos);
  EXPECT_NE(svg->find("a 'title' with marks n &lt;b>"), std::string::npos);
  EXPECT_EQ(count_of(*svg, "id=\"chart1_plot_"), 2U);
  // Between powers of ten there are labels, too.
  EXPECT_NE(svg->find("<text> 4</text>"), std::string::npos);
  // The same job leaves the same bytes.
  EXPECT_EQ(*svg, *draw(two_curves(), "chart1"));
}

TEST(Chart, OfNothingIsNone) { EXPECT_FALSE(draw(Chart{}, "chart1").has_value()); }

}  // namespace
}  // namespace evenkeel
