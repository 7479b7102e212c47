// The part of a chart's script that each kind of plot has of its own.
#pragma once

#include <string>

#include "calib/report/chart.h"
#include "calib/report/script_parts.h"

namespace evenkeel::script {

/// What follows after the terminal, titles and grid are set.
struct PlotScript {
  std::string text;
  int height = chart_height;
};

// Whether anything of a plot would be drawn, and how. REQUIRES of plot_script: has_marks.

bool has_marks(const CurvePlot& plot, const Chart& chart);
PlotScript plot_script(const CurvePlot& plot, const Chart& chart);

bool has_marks(const HistogramPlot& plot, const Chart& chart);
PlotScript plot_script(const HistogramPlot& plot, const Chart& chart);

bool has_marks(const CategoryPlot& plot, const Chart& chart);
PlotScript plot_script(const CategoryPlot& plot, const Chart& chart);

bool has_marks(const BandPlot& plot, const Chart& chart);
PlotScript plot_script(const BandPlot& plot, const Chart& chart);

bool has_marks(const HeatMap& map, const Chart& chart);
PlotScript plot_script(const HeatMap& map, const Chart& chart);

}  // namespace evenkeel::script
