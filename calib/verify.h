// Comparison of a forward pass with tensors that somebody else computed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace evenkeel {

/// Differences of one tensor.
struct TensorDifference {
  std::string name;  // "logits", "hidden.0", ...
  double largest = 0.0;
  double mean = 0.0;
  double scale = 0.0;  // largest magnitude of the expected tensor
  double relative() const { return scale > 0.0 ? largest / scale : largest; }
};

struct VerifyResult {
  std::vector<TensorDifference> tensors;  // logits first, then hidden states in order
  double worst = 0.0;                     // largest `relative` of all
};

/// Runs the checkpoint (full precision, or the quantized/ of a job as it was evaluated) on
/// `input_ids` [samples, tokens] (and `attention_mask`, if there) of a safetensors file and
/// compares with its `logits` and every `hidden.N` there is: hidden.0 enters the first block, the
/// last is after the final norm. Padding is not compared. Throws: InputError naming what the file
/// lacks or contradicts.
VerifyResult verify_checkpoint(const std::filesystem::path& checkpoint,
                               const std::filesystem::path& against);

}  // namespace evenkeel
