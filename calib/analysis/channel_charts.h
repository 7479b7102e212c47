// Charts of what channels do: outlier maps, ranges, distributions and means of activations.
#pragma once

#include <cstddef>
#include <vector>

#include "calib/analysis/analysis_arrays.h"
#include "calib/analysis/analyze.h"
#include "calib/analysis/report_choice.h"
#include "calib/report/text_table.h"

namespace evenkeel {

// Of one model of an analysis; everything throws InputError as AnalysisArrays.

/// Largest magnitudes, blocks x channels, of what norms and the MLP's activation give: of the shown
/// sets.
std::vector<CaptionedChart> outlier_maps(const AnalysisResult& result, const AnalysisArrays& arrays,
                                         std::size_t model);
/// Of the nodes with the widest range of the first set, in their widest blocks.
std::vector<CaptionedChart> channel_ranges(const AnalysisResult& result,
                                           const AnalysisArrays& arrays, std::size_t model);
/// Histograms by block of the first set, and, of one model, of its sets in the middle block.
std::vector<CaptionedChart> distributions(const AnalysisResult& result,
                                          const AnalysisArrays& arrays, std::size_t model);
/// Pooled means, blocks x channels, of the first set.
std::vector<CaptionedChart> mean_maps(const AnalysisResult& result, const AnalysisArrays& arrays,
                                      std::size_t model);
/// The ends of the means of the shown sets: a line for each node.
TextTable mean_table(const AnalysisResult& result, const AnalysisArrays& arrays, std::size_t model);

}  // namespace evenkeel
