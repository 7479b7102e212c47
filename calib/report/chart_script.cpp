#include "calib/report/chart_script.h"

#include <algorithm>

#include <fmt/format.h>

#include "calib/report/plot_script.h"

namespace evenkeel {

bool has_marks(const Chart& chart) {
  return std::visit([&](const auto& plot) { return script::has_marks(plot, chart); }, chart.plot);
}

std::string script_of(const Chart& chart) {
  std::string id = chart.name;  // what gnuplot takes for one
  std::ranges::replace(id, '-', '_');
  const script::PlotScript own =
      std::visit([&](const auto& plot) { return script::plot_script(plot, chart); }, chart.plot);
  return fmt::format(
      "reset\nset encoding utf8\n"
      "set terminal svg size {},{} dynamic noenhanced font \"sans-serif,14\" name \"chart_{}\"\n"
      "set grid linecolor \"#cccccc\"\nset border 3\nset tics nomirror\n"
      // On the left, where it is seen before a narrow screen scrolls.
      "set label 1 {} at screen 0.01, screen 1 offset character 0, -1.2 left\nset tmargin 3\n"
      "set xlabel {}\nset ylabel {}\n{}",
      script::chart_width, own.height, id, script::literal(chart.title),
      script::literal(chart.x_name), script::literal(chart.y_name), own.text);
}

}  // namespace evenkeel
