// Which parts of a model a scheme hurts: each quantized alone, and each left out alone.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/job.h"
#include "calib/model_parts.h"
#include "calib/progress.h"
#include "calib/text_score.h"

namespace evenkeel {

/// How far a model is from the full-precision one.
struct Distance {
  std::vector<TextScore> scores;
  /// Squared difference of what leaves the last block, summed over all tokens and channels of the
  /// texts, over the sum of squares in full precision.
  double output_error = 0.0;
};

struct PartSensitivity {
  ModelPart part;
  Distance alone;    // nothing else is quantized
  Distance without;  // everything else is
  /// Of the first text: how much of what the scheme loses comes back when the part is kept. May be
  /// negative, or exceed 1.
  double recovered = 0.0;
};

struct SensitivityResult {
  Metric metric = Metric::perplexity;
  Distance full_precision;
  Distance quantized;
  std::vector<PartSensitivity> parts;  // within each kind, what recovers most first
};

/// Calibrates the job once; codes, steps and ranges are those of the whole scheme, whatever is left
/// out then. All models move through the blocks side by side, so that there are the hidden states
/// of 2 parts + 2 models at a time, in memory as far as `memory_limit` goes. Writes
/// OUTPUT/sensitivity.json and its report.
/// Throws: UsageError when there is no text to evaluate; otherwise as run_job.
SensitivityResult measure_sensitivity(const Job& job, Progress& progress);

/// What sensitivity.json holds.
nlohmann::ordered_json to_json(const SensitivityResult& result);

}  // namespace evenkeel
