#include "model/likelihood.h"

#include <algorithm>

#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

constexpr Index piece_rows = 128;  // tokens whose logits are held at a time

}  // namespace

NextTokenLikelihood::NextTokenLikelihood(const LanguageModel& model, const Tokens& tokens,
                                         const Matrix& finished)
    : model_(model),
      tokens_(tokens),
      finished_(finished),
      totals_(tokens.size()),
      targets_(tokens.size(), 0.0) {}

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
      const Index target = tokens_[token + 1] - first;
      if (target >= 0 && target < head.rows()) targets_[token] = logits(i, target);
    }
  }
}

double NextTokenLikelihood::sum() const {
  double total = 0.0;
  for (std::size_t token = 0; token + 1 < tokens_.size(); ++token) {
    total += totals_[token].value() - targets_[token];
  }
  return total;
}

}  // namespace evenkeel
