// Charts as plain data. drawing.h draws them, chart_csv.h writes their figures, page.h places them
// in a report; each kind of plot says how it is drawn.
//
// Values that are not finite (or, on a logarithmic axis, not positive) are gaps: nothing is drawn
// there, and their cells in a CSV are empty. Texts may hold anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace evenkeel {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points = {};
  bool line = true;    // between the points, straight
  bool rings = false;  // hollow marks around what other curves have there
};

/// Curves and points, each with a mark of its own.
struct CurvePlot {
  std::vector<Curve> curves;
  /// A dashed vertical line, named in the key.
  struct Mark {
    std::string name;
    double x = 0.0;
  };
  std::optional<Mark> mark = std::nullopt;
};

/// One value for each category. REQUIRES: as many values as there are categories.
struct Series {
  std::string name;
  std::vector<double> values = {};
  std::vector<double> errors = {};  // half the length of a bar of error; empty: there are none
};

/// Series over named categories, which stand one below the other with the first on top, so that
/// long names can be read; values run to the right: x_name and log_x are theirs.
struct CategoryPlot {
  enum class Form {
    bars,    // from zero (on a logarithmic axis from the power of ten below the least)
    points,  // with bars of error: where the axis need not begin at zero
    stacked  // one bar for each category, series after one another, without errors; not log_x
  };
  Form form = Form::bars;
  std::vector<std::string> categories = {};
  std::vector<Series> series = {};
};

/// From the smallest to the largest value of each channel, filled; panels side by side, each with
/// an axis of its own. More than 512 channels share places, smallest and largest kept.
struct BandPlot {
  struct Panel {
    std::string title;
    std::vector<double> low = {}, high = {};  // by channel; REQUIRES: of one length
  };
  std::vector<Panel> panels;
};

/// A matrix as colours, row 0 on top, with a bar that says what they mean; low values look like the
/// ground. x_name and y_name name columns and rows. log_colour: the colour bar is logarithmic.
struct HeatMap {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values = {};  // row-major; REQUIRES: rows * columns of them
  std::string value_name = {};
  bool log_colour = false;
  std::optional<double> floor = std::nullopt;  // all below it have the colour of the ground
  std::size_t column_width = 1;  // what a column stands for along x, as of channels pooled
};

/// Counts between edges, as outlines. REQUIRES: one edge more than counts, rising.
struct HistogramPlot {
  struct Outline {
    std::string name;
    std::vector<double> edges = {};
    std::vector<double> counts = {};
  };
  std::vector<Outline> outlines;
};

struct Chart {
  /// Of its files, and of the ids within a page: as chart_name makes it.
  std::string name;
  std::string title;
  std::string x_name = {};
  std::string y_name = {};
  bool log_x = false;
  bool log_y = false;
  std::variant<CurvePlot, CategoryPlot, BandPlot, HeatMap, HistogramPlot> plot = {};
};

/// Letters and digits of a text in lower case, everything between as one '-':
/// "search-blocks-0-mlp". Not empty, and not longer than a file's name may be.
std::string chart_name(std::string_view text);

/// Whether a value can be drawn on such an axis.
bool can_stand(double value, bool log);

/// The map with at most so many columns: the largest of as many neighbours as needed.
/// REQUIRES: most_columns > 0.
HeatMap pooled(const HeatMap& map, std::size_t most_columns);
/// The same of a band: the smallest of `low` and the largest of `high`.
BandPlot::Panel pooled(const BandPlot::Panel& panel, std::size_t most_channels);

}  // namespace evenkeel
