// How alike calibration sets are, as charts and a table.
#pragma once

#include <cstddef>
#include <vector>

#include "calib/analysis/analyze.h"
#include "calib/analysis/report_choice.h"
#include "calib/report/text_table.h"

namespace evenkeel {

/// Distances of ranges and correlations of maxima of one model, sets x sets, over all nodes. None
/// for fewer than three sets, whose table says all.
std::vector<CaptionedChart> similarity_maps(const AnalysisResult& result, std::size_t model);
/// The pairs of all models, the furthest apart first.
TextTable similarity_table(const AnalysisResult& result);

}  // namespace evenkeel
