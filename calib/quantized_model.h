// A quantized/ folder that a job wrote, with the record beside it, as something that runs.
#pragma once

#include <filesystem>

#include "calib/record.h"
#include "io/checkpoint.h"
#include "model/language_model.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Whether config.json of a checkpoint says that a job of ours quantized it.
bool is_quantized(const Checkpoint& checkpoint);

/// A block of such a checkpoint, weights dequantized. Throws: InputError.
Block load_quantized_block(const Checkpoint& checkpoint, const Architecture& architecture,
                           const Scheme& scheme, Index number);

/// A block as it runs: its weights, and the quantizers of its nodes (none in full precision).
struct RunnableBlock {
  Block block;
  NodeQuantizers quantizers;
};

/// Gives, block by block, the very numbers that the job evaluated.
class QuantizedModel {
 public:
  /// Opens the record that config.json names, relative to the folder.
  /// REQUIRES: is_quantized(checkpoint). Throws: InputError when a part is missing, contradicts
  /// another or comes from another run.
  explicit QuantizedModel(const Checkpoint& checkpoint);

  const LanguageModel& model() const { return model_; }
  const Scheme& scheme() const { return scheme_; }
  /// Weights dequantized. Throws: InputError.
  Block block(Index number) const;
  /// From the record. Throws: InputError, also when the checkpoint's own input_scale of a linear
  /// says otherwise.
  NodeQuantizers quantizers(Index number) const;
  /// Both; the memory that the stored block took is released.
  RunnableBlock load(Index number) const;

 private:
  LanguageModel model_;
  Scheme scheme_;
  RecordReader record_;
};

}  // namespace evenkeel
