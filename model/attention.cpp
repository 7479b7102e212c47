#include "model/attention.h"

#include <algorithm>
#include <limits>
#include <span>

#include "model/ops.h"
#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

void mask_and_normalize(MatrixView scores, Index first_row, const TokenMask& mask, bool causal) {
  constexpr float never = -std::numeric_limits<float>::infinity();
  for (Index row = 0; row < scores.rows(); ++row) {
    const Index visible = causal ? std::min(first_row + row + 1, scores.cols()) : scores.cols();
    float* values = scores.row(row).data();
    if (!mask.empty()) {
      for (Index key = 0; key < visible; ++key) {
        if (mask[static_cast<std::size_t>(key)] == 0) values[key] = never;
      }
    }
    softmax({values, static_cast<std::size_t>(visible)});
    std::fill(values + visible, values + scores.cols(), 0.0F);
  }
}

}  // namespace

void attend_piece(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
                  const TokenMask& mask, const AttentionOptions& options, Index first_row, Tap* tap,
                  AttentionScratch& scratch, MatrixView out) {
  const Index rows = out.rows();
  const Index keys = options.causal ? first_row + rows : q.rows();
  const Index width = q.cols() / options.heads;
  if (scratch.size() < rows * keys) scratch.resize(rows, q.rows());
  for (Index head = 0; head < options.heads; ++head) {
    const Index first_channel = head * width;
    Eigen::Map<Matrix, 0, Eigen::OuterStride<>> scores(scratch.data(), rows, keys,
                                                       Eigen::OuterStride<>(keys));
    product_transposed(q.block(first_row, first_channel, rows, width),
                       k.block(0, first_channel, keys, width), scores);
    mask_and_normalize(scores, first_row, mask, options.causal);
    if (tap != nullptr) tap->at(Node::attention_probabilities, scores, head, first_row);
    product(scores, v.block(0, first_channel, keys, width), out.middleCols(first_channel, width));
  }
}

void attend(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
            const TokenMask& mask, const AttentionOptions& options, Tap* tap,
            AttentionScratch& scratch, MatrixView out) {
  for (Index first_row = 0; first_row < q.rows(); first_row += attention_piece_rows) {
    const Index rows = std::min(attention_piece_rows, q.rows() - first_row);
    attend_piece(q, k, v, mask, options, first_row, tap, scratch, out.middleRows(first_row, rows));
  }
}

}  // namespace evenkeel
