// The two checkpoints that a job writes, block by block: folded full precision, and integers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calib/calibration.h"
#include "io/checkpoint_writer.h"

namespace evenkeel {

/// OUTPUT/model: the input's layout and dtypes, with shift and scale folded in. Where the residual
/// of a post-LayerNorm model undoes a fold, the norm gains `residual_scale` and `residual_shift`
/// in F32, and config.json says so (model/block.h).
class FoldedCheckpoint {
 public:
  /// `residual_norms` are the norms that will have a residual transform. Throws: MachineError.
  FoldedCheckpoint(const LanguageModel& model, const std::filesystem::path& folder,
                   const std::vector<std::string>& residual_norms,
                   Leftovers leftovers = Leftovers::discard);
  /// Throws: MachineError when a folded value does not fit the stored dtype.
  void block(Index number, const Block& folded);
  void finish();
  CheckpointWriter& writer() { return writer_; }

 private:
  const LanguageModel& model_;
  bool residual_transforms_;
  CheckpointWriter writer_;
};

/// OUTPUT/quantized: the compressed-tensors layout (quantizers/packing.h). Norms and biases of the
/// blocks are written in F32, exactly as the calibration used them; the rest keeps its dtype.
/// config.json gains "quantization_config" and "evenkeel": {"scheme", "record", "id"}, by which
/// `evaluate` finds the node ranges that the layout cannot hold.
class QuantizedCheckpoint {
 public:
  /// `residual_norms` as above. REQUIRES: no packing_fault (calib/layout_notes.h). Throws:
  /// MachineError.
  QuantizedCheckpoint(const LanguageModel& model, const std::filesystem::path& folder,
                      const Scheme& scheme, const std::vector<std::string>& residual_norms,
                      Leftovers leftovers = Leftovers::discard);
  void block(Index number, const BlockResult& result);
  void finish(const std::string& id);
  CheckpointWriter& writer() { return writer_; }

 private:
  const LanguageModel& model_;
  Scheme scheme_;
  bool residual_transforms_;
  CheckpointWriter writer_;
};

/// Every tensor of OUTPUT/quantized, by the tensor of the model in whose place it stands.
/// REQUIRES: as the constructor.
struct PlannedTensor {
  const StoredTensor* source;
  TensorPlan plan;
};
std::vector<PlannedTensor> quantized_plan(const LanguageModel& model, const Scheme& scheme,
                                          const std::vector<std::string>& residual_norms);

/// Where config.json of a quantized checkpoint says what its record is.
inline constexpr const char* evenkeel_key = "evenkeel";

}  // namespace evenkeel
