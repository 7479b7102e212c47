// analysis.json, read again.
#pragma once

#include <filesystem>

#include "calib/analysis/analyze.h"

namespace evenkeel {

/// What analysis.json holds; of linears all but their histograms, which are empty. At least one
/// model, each with at least one set and one block, and with all pairs of its sets in their order.
/// Throws: InputError with the file when it is not what an analysis leaves.
AnalysisResult read_analysis(const std::filesystem::path& file);

}  // namespace evenkeel
