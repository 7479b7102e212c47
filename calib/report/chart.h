// Charts as SVG, drawn by gnuplot, for reports and papers.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace evenkeel {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;
  bool line = true;    // between the points, straight
  bool rings = false;  // hollow marks around what other curves have there
};

struct Chart {
  std::string title;
  std::string x_name;
  std::string y_name;
  bool log_x = false;
  std::vector<Curve> curves;
};

/// Whether the program gnuplot can be run.
bool can_draw();

/// One <svg> element, without an XML header, whose marks and texts suit a light ground; points that
/// are not finite (or, on a log axis, not positive) are left out. `name`, of letters and digits,
/// makes the ids in it the page's own. Nothing when no point is left, or gnuplot cannot be run.
/// Throws: MachineError when it fails.
std::optional<std::string> draw(const Chart& chart, const std::string& name);

}  // namespace evenkeel
