// The flow over blocks: load, calibrate, hand over, move on. One block's parameters in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calib/block_calibrator.h"
#include "calib/progress.h"
#include "calib/stopwatch.h"
#include "calib/text_score.h"
#include "io/encoding.h"
#include "model/language_model.h"

namespace evenkeel {

/// Receives each block when it is finished, in order, after those that it has already.
class BlockSink {
 public:
  BlockSink() = default;
  BlockSink(const BlockSink&) = delete;
  BlockSink& operator=(const BlockSink&) = delete;
  virtual ~BlockSink() = default;
  virtual void take(Index number, const BlockResult& result) = 0;

  /// Blocks that an earlier attempt finished: the first so many.
  virtual Index finished() const { return 0; }
  /// Such a block: `quantized` and its quantizers, sites and what is told of them.
  /// REQUIRES: number < finished().
  virtual BlockResult finished_block(Index number) {
    static_cast<void>(number);
    return {};
  }
};

struct SiteSummary {
  std::string name;  // "blocks.3.attention"
  double threshold = 0.0;
  double loss_before = 0.0;
  double loss_after = 0.0;
  std::optional<SiteErrors> errors_before{};  // where BlockOptions::site_errors asks for them
  std::optional<SiteErrors> errors_after{};
};

struct CalibrationOutcome {
  std::vector<SiteSummary> sites;
  std::vector<TextScore> scores;  // of the quantized model; empty without texts
};

/// Calibrates every block of `model` on `samples` and evaluates the quantized model on `texts`,
/// whose windows move forward beside the samples. Samples may differ in length. Blocks that `sink`
/// has already only move them forward. Of the hidden states, samples before texts, `memory` holds
/// what it has room for; all when null.
/// Throws: InputError, MachineError as calibrate_block does, naming the block.
CalibrationOutcome calibrate_model(const LanguageModel& model, const std::vector<Encoding>& samples,
                                   const BlockOptions& options,
                                   const std::vector<EvaluationText>& texts, BlockSink* sink,
                                   Progress& progress, Stopwatch& stopwatch,
                                   HiddenMemory* memory = nullptr);

}  // namespace evenkeel
