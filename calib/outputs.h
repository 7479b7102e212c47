// Everything that a run leaves, in the making, block by block, so that a killed one continues.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/block_part.h"
#include "calib/calibration.h"
#include "calib/checkpoint_outputs.h"
#include "calib/job.h"
#include "calib/output_folder.h"
#include "calib/progress.h"
#include "calib/stopwatch.h"

namespace evenkeel {

/// Where the staged blocks of a job are.
BlockParts block_parts(const OutputFolder& folder);

/// A block is finished when its tensors in the staged checkpoints, and then its part, are on the
/// disk. Not thread-safe.
class Outputs final : public BlockSink {
 public:
  /// Takes over the blocks that an earlier attempt finished: the first ones, up to one that is
  /// damaged, whose place and those behind it are emptied. Their seconds are added to the
  /// stopwatch's, which says what blocks taken from now on took. All references must outlive this.
  /// Throws: MachineError.
  Outputs(const Job& job, const BlockOptions& options, const LanguageModel& model,
          OutputFolder& folder, Stopwatch& stopwatch);

  Index finished() const override { return finished_; }
  BlockResult finished_block(Index number) override;
  void take(Index number, const BlockResult& result) override;
  /// Whether an earlier attempt left a block that cannot be used.
  bool found_damage() const { return found_damage_; }
  /// Puts the record together, writes the report (calib/report/report.h) and moves everything into
  /// place. REQUIRES: every block is finished. Throws: MachineError.
  void commit(const nlohmann::ordered_json& summary, Progress& progress);

 private:
  bool adopt(Index number);

  const Job& job_;
  BlockOptions options_;
  const LanguageModel& model_;
  OutputFolder& folder_;
  Stopwatch& stopwatch_;
  BlockParts parts_;
  std::vector<std::string> residual_norms_;
  FoldedCheckpoint folded_;
  QuantizedCheckpoint quantized_;
  std::optional<Checkpoint> staged_;  // quantized/, while finished blocks are read
  Index finished_ = 0;
  bool found_damage_ = false;
};

}  // namespace evenkeel
