// report.html of a comparison.
#pragma once

#include <string>

#include "calib/compare/compare.h"
#include "calib/report/page.h"

namespace evenkeel {

/// What was compared and the answer in two sentences; the table; of each text (and model) the
/// figures by setting, and by calibration set where these are an axis; seconds.
Page comparison_page(const ComparisonResult& result);

/// The two sentences: how far the best and the worst row are from full precision, and how many rows
/// differ from their baseline by more than noise (adjusted p below 0.05).
std::string comparison_answer(const ComparisonResult& result);

}  // namespace evenkeel
