// What stands before and after the blocks: embeddings, the final norm and the head.
#pragma once

#include <span>
#include <vector>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/architecture.h"
#include "model/attention.h"
#include "model/block.h"

namespace evenkeel {

/// A model whose blocks are loaded one at a time (model/block.h).
/// Holds a reference to the checkpoint. Thread-safe after construction.
class LanguageModel {
 public:
  /// Throws: InputError as resolve_architecture does.
  explicit LanguageModel(const Checkpoint& checkpoint,
                         LinearStorage storage = LinearStorage::plain);

  const Architecture& architecture() const { return architecture_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }

  /// What enters the first block, [tokens, channels]. Empty token types count as zeros.
  /// REQUIRES: mask and token types empty or of size tokens.
  /// Throws: InputError when an id is outside the vocabulary (or the token types) or there are
  /// more tokens than positions.
  Matrix embed(const Tokens& tokens, const TokenMask& mask = {},
               const Tokens& token_types = {}) const;

  /// What the head reads: hidden := project out(final norm(hidden)), as far as the family has
  /// them. [tokens, embedding channels]
  void finish(Matrix& hidden) const;

  /// A block as it is stored, whose pages the kernel may then drop. Throws: as
  /// evenkeel::load_block.
  Block load_block(Index number) const;

  // Let the kernel drop the pages of the embeddings, and of the head.
  void release_embeddings() const;
  void release_head() const;

  /// Of finished hidden states: [tokens, vocabulary], or [1, labels] of a classifier.
  Matrix logits(const Matrix& finished) const;

  /// Rows [first, first + count) of the matrix that gives a language model's logits.
  Matrix head_rows(Index first, Index count) const;
  /// What is done to the products with those rows: bias, scale, cap.
  void finish_logits(MatrixView products, Index first) const;

 private:
  Matrix dense(const Matrix& input) const;

  const Checkpoint& checkpoint_;
  Architecture architecture_;
  Norm embedding_norm_, final_norm_;
  Matrix project_in_, project_out_;  // empty: none
  Linear dense_;                     // of the head; empty: none
  Norm head_norm_;
  Vector logits_bias_;  // empty: none
};

/// Rows of the head decoded at a time: bounds the memory of a large vocabulary.
inline constexpr Index head_chunk_rows = 4096;

}  // namespace evenkeel
