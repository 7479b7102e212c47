// A chart as a script of gnuplot.
#pragma once

#include <string>

#include "calib/report/chart.h"

namespace evenkeel {

/// Whether anything of it would be drawn.
bool has_marks(const Chart& chart);

/// The script that writes the chart as one SVG document to standard output, whatever was drawn
/// before it. Texts of the chart stand in it as texts alone. REQUIRES: has_marks.
std::string script_of(const Chart& chart);

}  // namespace evenkeel
