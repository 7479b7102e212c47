// Bars and points over named categories.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/report/plot_script.h"

namespace evenkeel::script {
namespace {

using Form = CategoryPlot::Form;

constexpr std::array marks{7, 5, 9, 11, 13, 15};
constexpr double filled = 0.8;  // of a category's place

// Where axes begin that have no zero.
double power_below(double value) { return std::pow(10.0, std::floor(std::log10(value))); }

std::vector<double> all_ends(const CategoryPlot& plot) {
  std::vector<double> ends;
  for (const Series& series : plot.series) {
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const double error = series.errors.empty() || !std::isfinite(series.errors[i])
                               ? 0.0
                               : std::abs(series.errors[i]);
      ends.push_back(series.values[i] - error);
      ends.push_back(series.values[i] + error);
      ends.push_back(series.values[i]);
    }
  }
  return ends;
}

double least_positive(const std::vector<double>& values) {
  double least = 1.0;
  bool any = false;
  for (const double value : values) {
    if (!can_stand(value, true)) continue;
    least = any ? std::min(least, value) : value;
    any = true;
  }
  return least;
}

// The middle of a series' place in a category, and half its height.
struct Place {
  double middle = 0.0;
  double half = 0.0;
};

Place place_of(const CategoryPlot& plot, std::size_t category, std::size_t series) {
  const auto at = static_cast<double>(category);
  if (plot.form == Form::stacked) return {at, filled / 2.0};
  const double height = filled / static_cast<double>(plot.series.size());
  return {at - filled / 2.0 + height * (static_cast<double>(series) + 0.5), height / 2.0};
}

// value, place, where its bar begins and ends along x and y, and the ends of its error bar
std::string data_of(const CategoryPlot& plot, std::size_t number, bool log, double base) {
  const Series& series = plot.series[number];
  std::string data;
  for (std::size_t i = 0; i < plot.categories.size(); ++i) {
    const double value = series.values[i];
    if (!can_stand(value, log)) continue;
    double from = base;
    if (plot.form == Form::stacked) {
      for (std::size_t s = 0; s < number; ++s) {
        if (std::isfinite(plot.series[s].values[i])) from += plot.series[s].values[i];
      }
    }
    const double to = plot.form == Form::stacked ? from + value : value;
    const double error = series.errors.empty() || !std::isfinite(series.errors[i])
                             ? 0.0
                             : std::abs(series.errors[i]);
    const double low = log ? std::max(value - error, base) : value - error;
    const Place place = place_of(plot, i, number);
    data += fmt::format("{} {} {} {} {} {} {} {}\n", value, place.middle, std::min(from, to),
                        std::max(from, to), place.middle - place.half, place.middle + place.half,
                        low, value + error);
  }
  return data;
}

std::string plot_of(const CategoryPlot& plot, std::size_t i) {
  const Series& series = plot.series[i];
  const std::string title = literal(series.name);
  const std::string data = fmt::format("$series{} using ", i);
  if (plot.form == Form::points) {
    return fmt::format(
        "{}1:2:7:8 with xerrorbars pointtype {} pointsize 0.8 linewidth 1.5 "
        "linecolor \"{}\" title {}",
        data, marks[i % marks.size()], colour(i), title);
  }
  std::string text =
      fmt::format("{}1:2:3:4:5:6 with boxxyerror fillstyle solid 0.85 linecolor \"{}\" title {}",
                  data, colour(i), title);
  if (!series.errors.empty() && plot.form == Form::bars) {
    text += fmt::format(
        ", {}1:2:7:8 with xerrorbars pointtype 0 linewidth 1.5 linecolor "
        "\"#000000\" notitle",
        data);
  }
  return text;
}

std::string category_axis(const CategoryPlot& plot) {
  std::vector<std::string> tics;
  for (std::size_t i = 0; i < plot.categories.size(); ++i) {
    tics.push_back(fmt::format("{} {}", tic_label(plot.categories[i]), i));
  }
  return fmt::format(
      "set ytics ({}) scale 0\nset xtics out\nset yrange [{}:-0.6]\nset grid noytics\n",
      fmt::join(tics, ", "), static_cast<double>(plot.categories.size()) - 0.4);
}

std::string value_axis(const CategoryPlot& plot, bool log, const std::vector<double>& ends,
                       double base) {
  if (log) {
    std::vector<double> reached = ends;
    if (plot.form == Form::bars) reached.push_back(base);
    return log_axis('x', reached);
  }
  if (plot.form == Form::points) return "set offsets graph 0.03, graph 0.03, 0, 0\n";
  const bool negative = std::ranges::any_of(ends, [](double end) { return end < 0.0; });
  return negative ? "set xzeroaxis\n" : "set xrange [0:*]\n";
}

}  // namespace

bool has_marks(const CategoryPlot& plot, const Chart& chart) {
  return std::ranges::any_of(plot.series, [&](const Series& series) {
    return std::ranges::any_of(series.values,
                               [&](double value) { return can_stand(value, chart.log_x); });
  });
}

PlotScript plot_script(const CategoryPlot& plot, const Chart& chart) {
  const std::vector<double> ends = all_ends(plot);
  const double base = chart.log_x ? power_below(least_positive(ends)) : 0.0;
  const std::size_t bars = plot.form == Form::stacked ? 1 : plot.series.size();
  const auto lines = static_cast<double>(plot.categories.size()) *
                     std::max(26.0, 6.0 + 10.0 * static_cast<double>(bars));
  PlotScript script{.text = category_axis(plot) + value_axis(plot, chart.log_x, ends, base),
                    .height = static_cast<int>(std::min(110.0 + lines, 3000.0))};
  std::vector<std::string> names;
  std::string plots;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const std::string data = data_of(plot, i, chart.log_x, base);
    if (data.empty()) continue;
    script.text += fmt::format("$series{} << END\n{}END\n", i, data);
    plots += (plots.empty() ? "" : ", ") + plot_of(plot, i);
    names.push_back(plot.series[i].name);
  }
  script.text += names.size() > 1 ? key_of(names, script.height) : std::string("unset key\n");
  script.text += "plot " + plots + "\n";
  return script;
}

}  // namespace evenkeel::script
