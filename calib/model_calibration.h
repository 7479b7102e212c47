// One model on its way through the blocks: what is calibrated of it, and the texts that it is
// evaluated on.
#pragma once

#include <vector>

#include "calib/block_calibrator.h"
#include "calib/calibration.h"
#include "calib/evaluation_stream.h"
#include "calib/stopwatch.h"

namespace evenkeel {

class SharedObservation;

/// Nothing given is copied but the options.
class ModelCalibration {
 public:
  /// Of the states of `texts`, `memory` holds what it has room for; all when null.
  ModelCalibration(const LanguageModel& model, const BlockOptions& options,
                   const std::vector<EvaluationText>& texts, Stopwatch& stopwatch,
                   HiddenMemory* memory);

  /// Calibrates a block, as it is stored, on what `stream` holds.
  /// Throws: InputError, MachineError as calibrate_block, naming the block.
  BlockResult calibrate(Block block, const HiddenStream& stream,
                        SharedObservation* observation = nullptr);
  /// Moves the texts past a block that was calibrated, now or by an earlier attempt.
  void evaluate(const BlockResult& result);
  /// Notes sites and whatever a person should know of them.
  void tell(Index number, const BlockResult& result, Progress& progress);
  /// REQUIRES: every block was evaluated and told; call once.
  CalibrationOutcome finish();

  const BlockOptions& options() const { return options_; }

 private:
  const LanguageModel& model_;
  BlockOptions options_;
  Stopwatch& stopwatch_;
  EvaluationStream evaluation_;
  CalibrationOutcome outcome_;
};

}  // namespace evenkeel
