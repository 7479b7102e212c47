// report.html of an analysis.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calib/analysis/analyze.h"
#include "calib/report/page.h"

namespace evenkeel {

/// Made of analysis.json and analysis.h5 in `folder`: what ran and the answer; outlier dimensions;
/// ranges and distributions of channels; figures over blocks; weights; means; how alike sets are.
/// Bounded, whatever the number of blocks, channels, sets and models (calib/analysis/
/// report_choice.h).
/// Throws: InputError with the file when one is missing or damaged, or they do not belong together.
Page analysis_page(const std::filesystem::path& folder);

/// The sentences at the top: how many channels the rule finds in any set, and where; how alike the
/// sets are, or of one set what a range for all tokens costs.
std::vector<std::string> analysis_answers(const AnalysisResult& result);

}  // namespace evenkeel
