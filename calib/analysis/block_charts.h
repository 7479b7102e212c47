// Charts of figures over blocks, and of weights.
#pragma once

#include <cstddef>
#include <vector>

#include "calib/analysis/analysis_arrays.h"
#include "calib/analysis/analyze.h"
#include "calib/analysis/report_choice.h"

namespace evenkeel {

/// Kurtosis, RMSE and standard deviation of tokens over blocks: a curve for each set of one model,
/// or for the first set of each of several. The first chart has kurtosis by node.
std::vector<CaptionedChart> activation_curves(const AnalysisResult& result);

// Of one model.

/// Spectral norms of linears (of many those that reach highest) and standard deviations of gains
/// over blocks.
std::vector<CaptionedChart> weight_curves(const AnalysisResult& result, std::size_t model);
/// Histograms of the linears in the middle block, and of the one with the longest tails by block.
/// Throws: InputError as AnalysisArrays.
std::vector<CaptionedChart> weight_histograms(const AnalysisResult& result,
                                              const AnalysisArrays& arrays, std::size_t model);

}  // namespace evenkeel
