// Plots over channels: bands of their ranges, and heat maps.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/report/plot_script.h"

namespace evenkeel::script {
namespace {

constexpr std::size_t most_places = 512;

bool has_marks(const BandPlot::Panel& panel) {
  for (std::size_t i = 0; i < panel.low.size(); ++i) {
    if (can_stand(panel.low[i], false) && can_stand(panel.high[i], false)) return true;
  }
  return false;
}

// Each channel as wide as its place, so that one that reaches far is seen as one.
std::string steps_of(const BandPlot::Panel& shown, std::size_t channels) {
  const double width = static_cast<double>(channels) / static_cast<double>(shown.low.size());
  std::string data;
  for (std::size_t i = 0; i < shown.low.size(); ++i) {
    const double begin = static_cast<double>(i) * width;
    if (!can_stand(shown.low[i], false) || !can_stand(shown.high[i], false)) {
      data += "\n";
      continue;
    }
    for (const double x : {begin, begin + width}) {
      data += fmt::format("{:.6g} {:.6g} {:.6g}\n", x, shown.low[i], shown.high[i]);
    }
  }
  return data;
}

// The distance of round numbers up to `count`, at most five, so that they do not touch.
double tic_step(std::size_t count) {
  const double least = std::max(static_cast<double>(count) / 4.0, 1.0);
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (least <= digit * power) return digit * power;
  }
  return 10.0 * power;
}

// Of a matrix that gnuplot can draw, which is at least 2 x 2: rows and columns that are alone are
// there twice, each half as wide.
std::size_t times_of(std::size_t count) { return count == 1 ? 2 : 1; }

// REQUIRES: something to draw. The bar is short: gnuplot's powers of ten do, if it has any.
std::string log_colours(const HeatMap& shown) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const double value : shown.values) {
    if (!can_stand(value, true)) continue;
    low = std::min(low, std::max(value, shown.floor.value_or(0.0)));
    high = std::max(high, value);
  }
  const std::string text = "set logscale cb\n";
  return high > 10.0 * low ? text : text + log_tics("cb", low, std::max(low, high));
}

// Rows and columns so few that gnuplot would put tics between them have one each, in its middle.
std::string few_tics(const HeatMap& shown) {
  constexpr std::size_t few = 12;
  std::string text = shown.rows <= few ? "set ytics 0, 1\n" : "";
  if (shown.columns > few || shown.column_width > 1) return text;
  std::vector<std::string> tics;
  for (std::size_t i = 0; i < shown.columns; ++i) {
    tics.push_back(fmt::format("\"{}\" {}", i, static_cast<double>(i) + 0.5));
  }
  return text + fmt::format("set xtics ({})\n", fmt::join(tics, ", "));
}

}  // namespace

bool has_marks(const BandPlot& plot, const Chart&) {
  return std::ranges::any_of(plot.panels,
                             [](const BandPlot::Panel& panel) { return has_marks(panel); });
}

PlotScript plot_script(const BandPlot& plot, const Chart&) {
  PlotScript script{.text = "", .height = 340};
  std::vector<std::size_t> drawn;
  for (std::size_t i = 0; i < plot.panels.size(); ++i) {
    if (!has_marks(plot.panels[i])) continue;
    script.text +=
        fmt::format("$band{} << END\n{}END\n", i,
                    steps_of(pooled(plot.panels[i], most_places), plot.panels[i].low.size()));
    drawn.push_back(i);
  }
  // The title of all, which is label 1, is drawn with the first one.
  script.text += fmt::format("unset key\nset tmargin 5\nset multiplot layout 1,{}\n", drawn.size());
  for (const std::size_t i : drawn) {
    script.text += fmt::format(
        "set title {}\nset xrange [0:{}]\nset xtics {}\n"
        "plot $band{} using 1:2:3 with filledcurves fillstyle solid 0.9 linecolor \"{}\"\n"
        "unset label 1\n",
        literal(plot.panels[i].title), plot.panels[i].low.size(),
        tic_step(plot.panels[i].low.size()), i, colour(i));
  }
  script.text += "unset multiplot\n";
  return script;
}

bool has_marks(const HeatMap& map, const Chart&) {
  return std::ranges::any_of(map.values,
                             [&](double value) { return can_stand(value, map.log_colour); });
}

PlotScript plot_script(const HeatMap& map, const Chart&) {
  const HeatMap shown = pooled(map, most_places);
  const bool any_above = std::ranges::any_of(shown.values, [&](double value) {
    return map.floor && std::isfinite(value) && value > *map.floor;
  });
  const std::size_t down = times_of(shown.rows);
  const std::size_t across = times_of(shown.columns);
  std::string floor;
  PlotScript script{.text = "$map << END\n",
                    .height = std::clamp(160 + 10 * static_cast<int>(shown.rows), 220, 720)};
  for (std::size_t i = 0; i < shown.rows * down; ++i) {
    for (std::size_t j = 0; j < shown.columns * across; ++j) {
      const double value = shown.values[i / down * shown.columns + j / across];
      script.text += can_stand(value, map.log_colour) ? fmt::format("{:.4g} ", value) : "NaN ";
    }
    script.text += "\n";
  }
  if (any_above) floor = fmt::format("set cbrange [{}:*]\n", *map.floor);
  script.text += fmt::format(
      "END\nset palette defined (0 \"#eef3fa\", 0.25 \"#9ecae1\", 0.5 \"#4292c6\", 0.75 "
      "\"#08519c\", 1 \"#041c3f\")\n"
      "unset grid\nunset key\nset border 15\nset tics out\nset cblabel {}\n{}{}"
      "{}set xrange [0:{}]\nset yrange [{}:-0.5]\n"
      "plot $map matrix using (($1+0.5)*{}):(($2+0.5)/{}-0.5):3 with image\n",
      literal(map.value_name), map.log_colour ? log_colours(shown) : "", floor, few_tics(shown),
      shown.columns * shown.column_width, static_cast<double>(shown.rows) - 0.5,
      static_cast<double>(shown.column_width) / static_cast<double>(across), down);
  return script;
}

}  // namespace evenkeel::script
