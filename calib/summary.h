// What summary.json says.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "calib/calibration.h"
#include "calib/job.h"

namespace evenkeel {

/// The settings of a job, resolved.
nlohmann::ordered_json to_json(const Job& job);

/// {"observe": s, "search": s, ..., "total": s}
nlohmann::ordered_json to_json(const Stopwatch& stopwatch);

/// The whole summary. Peak memory is that of the process so far.
nlohmann::ordered_json summarize(const Job& job, const LanguageModel& model,
                                 const std::vector<TextScore>& full_precision,
                                 const CalibrationOutcome& outcome, const Stopwatch& stopwatch);

}  // namespace evenkeel
