// Perplexity of a checkpoint as it is stored, full precision or quantized by a job.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calib/perplexity.h"
#include "calib/progress.h"
#include "quantizers/scheme.h"

namespace evenkeel {

struct EvaluateOptions {
  std::vector<std::filesystem::path> texts;
  std::int64_t sequence_length = 512;
  std::optional<std::int64_t> windows;
  /// Quantizes a full-precision checkpoint as it is loaded. REQUIRES (checked): dynamic
  /// activations, since static ranges need a calibration.
  std::optional<Scheme> scheme;
};

struct EvaluateResult {
  std::vector<TextPerplexity> perplexity;
  std::string kind;  // "full precision", or "quantized: " and the scheme
};

/// A folder that a job wrote as quantized/ is recognised by its config.json; its node ranges are
/// read from the calibration.h5 beside it, which must be of the same run.
/// Throws: InputError for wrong data, UsageError for a scheme that needs a calibration or one
/// given for a checkpoint that is quantized already.
EvaluateResult evaluate_checkpoint(const std::filesystem::path& checkpoint,
                                   const EvaluateOptions& options, Progress& progress);

}  // namespace evenkeel
