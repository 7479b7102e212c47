#include "model/likelihood.h"

#include <algorithm>

#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

constexpr Index piece_rows = 128;  // tokens whose logits are held at a time

}  // namespace

NextTokenLikelihood::NextTokenLikelihood(const LanguageModel& model,
                                         std::span<const TokenId> targets, const Matrix& finished,
                                         Greedy greedy)
    : model_(model),
      targets_(targets),
      finished_(finished),
      totals_(targets.size()),
      logits_(targets.size(), 0.0),
      largest_(greedy == Greedy::yes ? targets.size() : 0) {}

void NextTokenLikelihood::keep_largest(const Matrix& logits, Index row, Index first) {
  for (Index i = 0; i < logits.rows(); ++i) {
    Index column = 0;
    const float logit = logits.row(i).maxCoeff(&column);
    Largest& known = largest_[static_cast<std::size_t>(row + i)];
    const Index id = first + column;
    if (known.id < 0 || logit > known.logit || (logit == known.logit && id < known.id)) {
      known = {logit, id};
    }
  }
}

void NextTokenLikelihood::add(const ConstMatrixView& head, Index first) {
  Matrix logits;
  for (Index row = 0; row < count(); row += piece_rows) {
    const Index rows = std::min(piece_rows, count() - row);
    logits.resize(rows, head.rows());
    product_transposed(finished_.middleRows(row, rows), head, logits);
    model_.finish_logits(logits, first);
    for (Index i = 0; i < rows; ++i) {
      const auto token = static_cast<std::size_t>(row + i);
      totals_[token].add({logits.row(i).data(), static_cast<std::size_t>(logits.cols())});
      const Index target = targets_[token] - first;
      if (target >= 0 && target < head.rows()) logits_[token] = logits(i, target);
    }
    if (!largest_.empty()) keep_largest(logits, row, first);
  }
}

double NextTokenLikelihood::sum(Index first, Index count) const {
  double total = 0.0;
  for (Index i = first; i < first + count; ++i) {
    const auto token = static_cast<std::size_t>(i);
    total += totals_[token].value() - logits_[token];
  }
  return total;
}

bool NextTokenLikelihood::is_greedy(Index first, Index count) const {
  for (Index i = first; i < first + count; ++i) {
    const auto token = static_cast<std::size_t>(i);
    if (largest_[token].id != targets_[token]) return false;
  }
  return true;
}

}  // namespace evenkeel
