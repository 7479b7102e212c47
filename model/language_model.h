// What stands before and after the blocks: embeddings, the final norm and the head.
#pragma once

#include <span>
#include <vector>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/architecture.h"
#include "model/attention.h"

namespace evenkeel {

/// A causal language model whose blocks are loaded one at a time (model/block.h).
/// Holds a reference to the checkpoint. Thread-safe after construction.
class LanguageModel {
 public:
  /// Throws: InputError as resolve_architecture does.
  explicit LanguageModel(const Checkpoint& checkpoint,
                         LinearStorage storage = LinearStorage::plain);

  const Architecture& architecture() const { return architecture_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }

  /// What enters the first block, [tokens, channels]. Positions count real tokens only.
  /// REQUIRES: mask empty or of size tokens.
  /// Throws: InputError when an id is outside the vocabulary or there are more tokens than
  /// positions.
  Matrix embed(const Tokens& tokens, const TokenMask& mask = {}) const;

  /// hidden := final norm(hidden).
  void normalize(MatrixView hidden) const;

  /// [tokens, vocabulary] of normalized hidden states.
  Matrix logits(const ConstMatrixView& normalized) const;

 private:
  const Checkpoint& checkpoint_;
  Architecture architecture_;
  Vector final_gain_, final_bias_;
};

/// Rows of the head decoded at a time: bounds the memory of a large vocabulary.
inline constexpr Index head_chunk_rows = 4096;

}  // namespace evenkeel
