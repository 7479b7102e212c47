#include "calib/report/chart_csv.h"

#include <cmath>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

namespace evenkeel {
namespace {

std::string cell(std::string_view text) {
  std::string safe;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    safe += '\'';
  }
  safe += text;
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string line(std::initializer_list<std::string> cells) {
  std::string text;
  for (const std::string& each : cells) text += (text.empty() ? "" : ",") + each;
  return text + "\n";
}

std::string named(const std::string& name, std::string_view otherwise) {
  return cell(name.empty() ? otherwise : std::string_view(name));
}

std::string rows_of(const CurvePlot& plot, const Chart& chart) {
  std::string text = line({"curve", named(chart.x_name, "x"), named(chart.y_name, "y")});
  for (const Curve& curve : plot.curves) {
    for (const auto& [x, y] : curve.points) text += line({cell(curve.name), cell(x), cell(y)});
  }
  return text;
}

std::string rows_of(const CategoryPlot& plot, const Chart& chart) {
  std::string text = line({"category", "series", named(chart.x_name, "value"), "error"});
  for (std::size_t i = 0; i < plot.categories.size(); ++i) {
    for (const Series& series : plot.series) {
      text += line({cell(plot.categories[i]), cell(series.name), cell(series.values[i]),
                    series.errors.empty() ? "" : cell(series.errors[i])});
    }
  }
  return text;
}

std::string rows_of(const BandPlot& plot, const Chart&) {
  std::string text = line({"panel", "channel", "low", "high"});
  for (const BandPlot::Panel& panel : plot.panels) {
    for (std::size_t i = 0; i < panel.low.size(); ++i) {
      text +=
          line({cell(panel.title), fmt::format("{}", i), cell(panel.low[i]), cell(panel.high[i])});
    }
  }
  return text;
}

std::string rows_of(const HeatMap& map, const Chart& chart) {
  std::string text = named(chart.y_name, "row");
  for (std::size_t j = 0; j < map.columns; ++j) text += fmt::format(",{}", j * map.column_width);
  text += "\n";
  for (std::size_t i = 0; i < map.rows; ++i) {
    text += fmt::format("{}", i);
    for (std::size_t j = 0; j < map.columns; ++j)
      text += "," + cell(map.values[i * map.columns + j]);
    text += "\n";
  }
  return text;
}

std::string rows_of(const HistogramPlot& plot, const Chart&) {
  std::string text = line({"series", "from", "to", "count"});
  for (const HistogramPlot::Outline& outline : plot.outlines) {
    for (std::size_t i = 0; i < outline.counts.size(); ++i) {
      text += line({cell(outline.name), cell(outline.edges[i]), cell(outline.edges[i + 1]),
                    cell(outline.counts[i])});
    }
  }
  return text;
}

}  // namespace

std::string csv_of(const Chart& chart) {
  return std::visit([&](const auto& plot) { return rows_of(plot, chart); }, chart.plot);
}

}  // namespace evenkeel
