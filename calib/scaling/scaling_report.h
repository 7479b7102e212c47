// The page that a scaling job leaves.
#pragma once

#include <string>
#include <vector>

#include "calib/report/page.h"
#include "calib/scaling/scaling.h"
#include "calib/scaling/scaling_points.h"

namespace evenkeel {

/// report.html: what was found in a sentence for each model; for each family loss over total bits,
/// one curve for each precision through the best setting of each size, the Pareto front marked; for
/// each model loss over precision by data type, and over the block at the smallest precision; the
/// front as a table: the best setting from each budget on.
Page scaling_report(const ScalingResult& result, const std::string& job_file);

/// A line for each family of several models: which precision is the best for the same bits; and for
/// each model: what each precision loses, and what smaller blocks give.
std::vector<std::string> scaling_answers(const ScalingResult& result);

/// "opt-3m: 4 bits, float, blocks of 64".
std::string text_of(const ScalingPoint& point, const ScalingResult& result);

}  // namespace evenkeel
