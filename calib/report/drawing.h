// Charts as SVG, drawn by gnuplot, for reports and papers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calib/report/chart.h"

namespace evenkeel {

/// Whether the program gnuplot can be run.
bool can_draw();

using Drawings = std::vector<std::optional<std::string>>;

/// By chart one <svg> element without an XML header, whose marks and texts suit a light ground, and
/// whose ids begin with "chart_" and the chart's name ('_' for '-'); nothing for a chart that is
/// all gaps. All are drawn by one process. Nothing at all where gnuplot cannot be run. Throws:
/// MachineError when it fails.
std::optional<Drawings> draw(const std::vector<Chart>& charts);

}  // namespace evenkeel
