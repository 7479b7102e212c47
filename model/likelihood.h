// Negative log-likelihood of the next token, with the head in chunks.
#pragma once

#include <span>
#include <vector>

#include "io/matrix.h"
#include "model/language_model.h"
#include "model/ops.h"

namespace evenkeel {

/// Accumulates, chunk of the vocabulary by chunk, what the likelihood of each next token needs.
/// `add` of different objects may run in parallel.
class NextTokenLikelihood {
 public:
  enum class Greedy { no, yes };

  /// Scores each of `targets` as what follows the row of its number of finished states
  /// [rows, channels]; rows beyond are not read. Neither is copied. Only with Greedy::yes can
  /// `is_greedy` be asked. REQUIRES: at least as many rows as targets.
  NextTokenLikelihood(const LanguageModel& model, std::span<const TokenId> targets,
                      const Matrix& finished, Greedy greedy = Greedy::no);

  /// `head` holds rows [first, first + head.rows()) of the head, [rows, channels]. Each row of
  /// the head is given once, chunks in any order.
  void add(const ConstMatrixView& head, Index first);
  // REQUIRES, of what follows: the whole head was added.
  /// Sum over targets [first, first + count) of -log p(target | those before).
  double sum(Index first, Index count) const;
  double sum() const { return sum(0, count()); }
  /// Whether each of these targets has the largest logit, of equal ones the first.
  bool is_greedy(Index first, Index count) const;
  Index count() const { return static_cast<Index>(targets_.size()); }

 private:
  struct Largest {
    float logit = 0.0F;
    Index id = -1;  // none yet
  };
  void keep_largest(const Matrix& logits, Index row, Index first);

  const LanguageModel& model_;
  std::span<const TokenId> targets_;
  const Matrix& finished_;
  std::vector<LogSumExp> totals_;
  std::vector<double> logits_;    // of the targets
  std::vector<Largest> largest_;  // empty: not asked for
};

}  // namespace evenkeel
