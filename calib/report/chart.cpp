#include "calib/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace evenkeel {
namespace {

constexpr std::size_t longest_name = 80;
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::size_t neighbours(std::size_t count, std::size_t most) { return (count + most - 1) / most; }

// Of the finite ones; NaN when there is none.
template <class Better>
double extreme(const double* begin, const double* end, const Better& better) {
  double best = nothing;
  for (const double* at = begin; at != end; ++at) {
    if (std::isfinite(*at) && (std::isnan(best) || better(*at, best))) best = *at;
  }
  return best;
}

}  // namespace

std::string chart_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      name += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
    if (name.size() == longest_name) break;
  }
  if (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "chart" : name;
}

bool can_stand(double value, bool log) { return std::isfinite(value) && (!log || value > 0.0); }

HeatMap pooled(const HeatMap& map, std::size_t most_columns) {
  const std::size_t width = neighbours(map.columns, most_columns);
  if (width <= 1) return map;
  HeatMap smaller = map;
  smaller.columns = neighbours(map.columns, width);
  smaller.column_width = map.column_width * width;
  smaller.values.clear();
  for (std::size_t row = 0; row < map.rows; ++row) {
    const double* const values = map.values.data() + row * map.columns;
    for (std::size_t first = 0; first < map.columns; first += width) {
      const std::size_t end = std::min(first + width, map.columns);
      smaller.values.push_back(extreme(values + first, values + end, std::greater<>()));
    }
  }
  return smaller;
}

BandPlot::Panel pooled(const BandPlot::Panel& panel, std::size_t most_channels) {
  const std::size_t channels = panel.low.size();
  const std::size_t width = neighbours(channels, most_channels);
  if (width <= 1) return panel;
  BandPlot::Panel smaller{.title = panel.title, .low = {}, .high = {}};
  for (std::size_t first = 0; first < channels; first += width) {
    const std::size_t end = std::min(first + width, channels);
    smaller.low.push_back(extreme(&panel.low[first], panel.low.data() + end, std::less<>()));
    smaller.high.push_back(extreme(&panel.high[first], panel.high.data() + end, std::greater<>()));
  }
  return smaller;
}

}  // namespace evenkeel
