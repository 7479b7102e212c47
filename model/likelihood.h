// Negative log-likelihood of the next token, over many windows, with the head in chunks.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "model/language_model.h"
#include "model/ops.h"

namespace evenkeel {

/// Accumulates, chunk of the vocabulary by chunk, what the likelihood of each next token needs.
/// One per window; `add` of different windows may run in parallel.
class NextTokenLikelihood {
 public:
  /// Scores tokens 2 .. L of `tokens`, given finished states [tokens, channels]. Neither is copied.
  /// REQUIRES: tokens not empty.
  NextTokenLikelihood(const LanguageModel& model, const Tokens& tokens, const Matrix& finished);

  /// `head` holds rows [first, first + head.rows()) of the head, [rows, channels]. Each row of
  /// the head is given once, chunks in any order.
  void add(const ConstMatrixView& head, Index first);
  /// Sum over tokens 2 .. L of -log p(token | those before). REQUIRES: the whole head was added.
  double sum() const;
  Index count() const { return static_cast<Index>(tokens_.size()) - 1; }

 private:
  const LanguageModel& model_;
  const Tokens& tokens_;
  const Matrix& finished_;
  std::vector<LogSumExp> totals_;
  std::vector<double> targets_;
};

}  // namespace evenkeel
