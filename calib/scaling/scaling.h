// Bit-level scaling: how well models of several sizes do at several precisions, over the bits that
// they then take.
// Source: Dettmers & Zettlemoyer 2022, "The case for 4-bit precision: k-bit inference scaling
// laws".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calib/job.h"
#include "calib/progress.h"
#include "calib/scaling/model_bits.h"
#include "calib/text_score.h"
#include "calib/zero_shot.h"

namespace evenkeel {

/// A model as it is stored.
struct ScaledModel {
  std::string label;   // its folder's name, or its label on the axis `model`
  std::string family;  // its model_type
  std::int64_t parameters = 0;
  std::vector<TextScore> scores;
  ModelBits bits;
  /// By text: bytes that a token stands for; nothing for token ids and labelled texts.
  std::vector<std::optional<double>> token_bytes;
};

/// A model at one setting.
struct ScaledRow {
  std::size_t model = 0;                                      // of ScalingResult::models
  std::vector<std::pair<std::string, std::string>> settings;  // (axis, label), without the model
  TensorScheme weights;
  std::vector<TextScore> scores;
  ModelBits bits;
  CodeUses uses;  // of code books without calibration; else empty
  double seconds = 0.0;
};

struct ScalingResult {
  Metric metric = Metric::perplexity;
  std::vector<ScaledModel> models;
  std::vector<ScaledRow> rows;  // in the order of the comparison
};

/// Evaluates every row of the job's `compare:` section. Those that need no calibration
/// (needs_calibration) are quantized as they are loaded, as many side by side as there are threads
/// and as memory_limit has room for; the others are calibrated one after the other. Finished rows
/// survive a kill; `restart` starts over. Writes OUTPUT/scaling.json, OUTPUT/report.html and
/// OUTPUT/charts.
/// Throws: UsageError when there is no text to evaluate, or a checkpoint could not hold what a row
/// makes of the weights; otherwise as run_job.
ScalingResult run_scaling(const Comparison& comparison, Progress& progress, bool restart = false);

}  // namespace evenkeel
