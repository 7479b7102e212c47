// The page that a run leaves.
#pragma once

#include <string>
#include <vector>

#include "calib/report/page.h"
#include "calib/report/run_results.h"

namespace evenkeel {

/// What ran and the answer in two sentences; figures of the texts; sites with their search curves
/// (of the first, the middle, the last block and the one that gained least), ranges of the widest
/// before and under the transform; outlier channels as maps; ranges by node; time and memory; the
/// job as run.
Page run_report(const RunResults& results);

/// The sentences at the top.
std::vector<std::string> run_answers(const RunResults& results);

}  // namespace evenkeel
