// The file that says that a block is finished: OUTPUT/.staging/blocks/N.safetensors.
//
// It is written when the block's tensors are on the disk, under a temporary name, synced and
// renamed: before that the block is not finished, after it it is. It is a safetensors file:
//
//   nodes.NAME.min, max, absmax, mean, variance   F32 [C]
//   nodes.NAME.ranges                             F32 [n, 2]: low, high; of a static quantizer
//   sites.I.shift, scale                          F32 [C]
//   sites.I.thresholds, losses                    F64 [n]
//   sites.I.chosen                                F64 [3]: threshold, loss before, loss after
//   clip                                          F64 [1], where it was searched
//   seconds                                       F64 [5]: Stopwatch::Reading
//
// whose metadata are `block`, a JSON object {"number": N, "sites": [names], "untouched_sites",
// "without_tokens", "choices", "model": {tensor: hash}, "quantized": {tensor: hash}}, and `hash`,
// that of all of it.
#pragma once

#include <filesystem>
#include <optional>

#include "calib/block_record.h"
#include "calib/stopwatch.h"
#include "io/checkpoint_writer.h"

namespace evenkeel {

struct BlockPart {
  BlockRecord record;
  TensorHashes folded;     // what the block wrote to model/
  TensorHashes quantized;  // and to quantized/
  Stopwatch::Reading seconds{};
};

/// Parts by the numbers of their blocks. Not thread-safe.
class BlockParts {
 public:
  explicit BlockParts(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Whether there is a file, good or not.
  bool has(Index number) const;
  /// Throws: MachineError.
  void write(Index number, const BlockPart& part) const;
  /// Nothing when it is absent or not as it was written.
  std::optional<BlockPart> read(Index number) const;
  /// The same. Throws: MachineError in place of nothing.
  BlockPart at(Index number) const;
  /// Removes the parts of `first` and the blocks behind it. Throws: MachineError.
  void remove_from(Index first, Index blocks) const;

 private:
  std::filesystem::path path(Index number) const;
  std::filesystem::path folder_;
};

}  // namespace evenkeel
