// Activations averaged over all sequences: for a node the matrix [blocks, channels] of means, its
// ends, and its pooled form.
// Source: Paglieri et al. 2024, "Outliers and calibration sets have diminishing effect on
// quantization of modern LLMs": the top and bottom 1 % over blocks and channels; min- and
// max-pooling along channels with a kernel of 32.
#pragma once

#include <cstdint>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// One mean of the matrix.
struct MeanEntry {
  std::int32_t block = 0;
  std::int32_t channel = 0;
  float value = 0.0F;
  bool operator==(const MeanEntry&) const = default;
};

/// The 1 % largest and the 1 % smallest means, rounded up, so at least one of each.
struct MeanEnds {
  std::vector<MeanEntry> top;     // descending; of two alike the first block, then channel
  std::vector<MeanEntry> bottom;  // ascending, likewise
};
/// `means`: [channels] of each block. REQUIRES: not empty.
MeanEnds mean_ends(const std::vector<Vector>& means);

/// The smallest and largest of each `kernel` neighbours, the last ones maybe fewer.
struct Pooled {
  std::vector<float> low, high;
};
Pooled pooled(const Vector& values, int kernel);

}  // namespace evenkeel
