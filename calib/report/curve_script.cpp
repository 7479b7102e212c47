// Curves and points; histograms, which are outlines.
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "calib/report/plot_script.h"

namespace evenkeel::script {
namespace {

// Filled, and told apart where colours are not: circle, square, triangle up, triangle down,
// diamond, pentagon.
constexpr std::array marks{7, 5, 9, 11, 13, 15};

bool stands(const std::pair<double, double>& point, const Chart& chart) {
  return can_stand(point.first, chart.log_x) && can_stand(point.second, chart.log_y);
}

std::string style_of(const Curve& curve, std::size_t i) {
  if (curve.rings) return "with points pointtype 6 pointsize 1.6 linecolor \"#000000\"";
  return fmt::format("with {} pointtype {} pointsize 0.6 linewidth 1.5 linecolor \"{}\"",
                     curve.line ? "linespoints" : "points", marks[i % marks.size()], colour(i));
}

std::string log_axes(const Chart& chart, const std::vector<double>& xs,
                     const std::vector<double>& ys) {
  return (chart.log_x ? log_axis('x', xs) : "") + (chart.log_y ? log_axis('y', ys) : "");
}

// The corners of an outline, closed on the ground.
std::vector<std::pair<double, double>> corners(const HistogramPlot::Outline& outline,
                                               double ground) {
  std::vector<std::pair<double, double>> points{{outline.edges.front(), ground}};
  for (std::size_t i = 0; i < outline.counts.size(); ++i) {
    const double height = std::max(outline.counts[i], ground);
    points.emplace_back(outline.edges[i], height);
    points.emplace_back(outline.edges[i + 1], height);
  }
  points.emplace_back(outline.edges.back(), ground);
  return points;
}

}  // namespace

bool has_marks(const CurvePlot& plot, const Chart& chart) {
  return std::ranges::any_of(plot.curves, [&](const Curve& curve) {
    return std::ranges::any_of(curve.points,
                               [&](const auto& point) { return stands(point, chart); });
  });
}

PlotScript plot_script(const CurvePlot& plot, const Chart& chart) {
  PlotScript script;
  std::string plots;
  std::vector<std::string> names;
  std::vector<double> xs;
  std::vector<double> ys;
  for (std::size_t i = 0; i < plot.curves.size(); ++i) {
    const Curve& curve = plot.curves[i];
    std::string data;
    for (const auto& point : curve.points) {
      if (!stands(point, chart)) continue;
      data += fmt::format("{} {}\n", point.first, point.second);
      xs.push_back(point.first);
      ys.push_back(point.second);
    }
    if (data.empty()) continue;
    script.text += fmt::format("$curve{} << END\n{}END\n", i, data);
    plots += fmt::format("{}$curve{} using 1:2 {} title {}", plots.empty() ? "" : ", ", i,
                         style_of(curve, i), literal(curve.name));
    names.push_back(curve.name);
  }
  if (plot.mark && can_stand(plot.mark->x, chart.log_x)) {
    constexpr const char* style = "dashtype 2 linewidth 1.5 linecolor \"#000000\"";
    script.text +=
        fmt::format("set arrow from first {0}, graph 0 to first {0}, graph 1 nohead {1}\n",
                    plot.mark->x, style);
    plots += fmt::format(", keyentry with lines {} title {}", style, literal(plot.mark->name));
    names.push_back(plot.mark->name);
    xs.push_back(plot.mark->x);
  }
  script.text += log_axes(chart, xs, ys) + key_of(names, script.height) + "plot " + plots + "\n";
  return script;
}

bool has_marks(const HistogramPlot& plot, const Chart& chart) {
  return std::ranges::any_of(plot.outlines, [&](const HistogramPlot::Outline& outline) {
    return !outline.counts.empty() && std::ranges::all_of(outline.edges, [&](double edge) {
      return can_stand(edge, chart.log_x);
    }) && std::ranges::any_of(outline.counts, [](double count) { return can_stand(count, true); });
  });
}

PlotScript plot_script(const HistogramPlot& plot, const Chart& chart) {
  PlotScript script;
  double ground = 0.0;
  if (chart.log_y) {
    ground = std::numeric_limits<double>::infinity();
    for (const auto& outline : plot.outlines) {
      for (const double count : outline.counts) {
        if (can_stand(count, true)) ground = std::min(ground, count / 2.0);
      }
    }
  }
  std::string plots;
  std::vector<std::string> names;
  std::vector<double> xs;
  std::vector<double> ys;
  for (std::size_t i = 0; i < plot.outlines.size(); ++i) {
    const HistogramPlot::Outline& outline = plot.outlines[i];
    if (!has_marks(HistogramPlot{{outline}}, chart)) continue;
    script.text += fmt::format("$outline{} << END\n", i);
    for (const auto& [x, y] : corners(outline, ground)) {
      script.text += fmt::format("{} {}\n", x, y);
      xs.push_back(x);
      ys.push_back(y);
    }
    script.text += "END\n";
    // Filled a little, and each with dashes of its own.
    plots += fmt::format(
        "{}$outline{} using 1:2 with filledcurves closed fillstyle transparent solid 0.15 "
        "linecolor \"{}\" notitle, $outline{} using 1:2 with lines linewidth 1.5 dashtype {} "
        "linecolor \"{}\" title {}",
        plots.empty() ? "" : ", ", i, colour(i), i, i % 5 + 1, colour(i), literal(outline.name));
    names.push_back(outline.name);
  }
  script.text += log_axes(chart, xs, ys) + key_of(names, script.height) + "plot " + plots + "\n";
  return script;
}

}  // namespace evenkeel::script
