// What of an analysis its report shows: the same few models, sets and blocks in every chart.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "calib/analysis/analyze.h"
#include "calib/report/chart.h"

namespace evenkeel {

inline constexpr std::size_t most_report_models = 2;  // with charts of their own
inline constexpr std::size_t most_report_curves = 8;  // that a chart's colours tell apart

struct CaptionedChart {
  Chart chart;
  std::string caption = {};
};

/// The first, the middle and the last block of so many.
std::vector<std::size_t> shown_blocks(std::size_t blocks);
/// The first set, and the one whose ranges are furthest from its (of the first, where several are);
/// of several models the first set alone.
std::vector<std::size_t> shown_sets(const AnalysisResult& result, std::size_t model);
/// "what", or of several models "LABEL: what".
std::string titled(const AnalysisResult& result, std::size_t model, std::string_view what);
/// "what, SET", or "what" where the model has one set.
std::string of_set(const AnalyzedModel& model, std::size_t set, std::string_view what);

}  // namespace evenkeel
