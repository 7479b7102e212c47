// Perplexity, task scores or accuracy of a checkpoint as it is stored, full precision or quantized
// by a job.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calib/hidden_memory.h"
#include "calib/job.h"
#include "calib/progress.h"
#include "calib/text_score.h"
#include "quantizers/scheme.h"

namespace evenkeel {

struct EvaluateOptions {
  std::vector<std::filesystem::path> texts{};
  std::vector<EvaluatedTask> tasks{};  // of a language model; or texts, or both
  /// Tokens of a window, by default 512, or at most of a classifier's text, by default 128.
  std::optional<std::int64_t> sequence_length{};
  std::optional<std::int64_t> windows{};   // of a language model's texts: at most so many of each
  std::optional<std::int64_t> examples{};  // of a classifier's, and of tasks: likewise
  /// Quantizes a full-precision checkpoint as it is loaded. REQUIRES (checked): dynamic
  /// activations, since static ranges need a calibration.
  std::optional<Scheme> scheme{};
  /// Whether results of single examples are wanted, which a language model's texts alone have not
  /// (checked, before any work).
  bool log_examples = false;
  /// Bytes of memory that hidden states may take; those beyond it are in a file in
  /// temporary_folder().
  std::uint64_t memory_limit = default_memory_limit;
};

struct EvaluateResult {
  Metric metric = Metric::perplexity;
  std::int64_t sequence_length = 0;
  std::vector<TextScore> scores;
  std::string kind;  // "full precision", or "quantized: " and the scheme
};

/// A folder that a job wrote as quantized/ is recognised by its config.json; its node ranges are
/// read from the calibration.h5 beside it, which must be of the same run.
/// Throws: InputError for wrong data; UsageError for a scheme that needs a calibration or one
/// given for a checkpoint that is quantized already, and for a masked-language model, which has
/// neither figure.
EvaluateResult evaluate_checkpoint(const std::filesystem::path& checkpoint,
                                   const EvaluateOptions& options, Progress& progress);

}  // namespace evenkeel
