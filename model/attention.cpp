#include "model/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "model/ops.h"
#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

// Positions count real tokens; padding has position zero.
void add_alibi(MatrixView scores, float slope, const TokenMask& mask) {
  Index position = 0;
  for (Index key = 0; key < scores.cols(); ++key) {
    if (!mask.empty() && mask[static_cast<std::size_t>(key)] == 0) continue;
    scores.col(key).array() += slope * static_cast<float>(position++);
  }
}

void mask_and_normalize(MatrixView scores, Index first_row, const TokenMask& mask,
                        const AttentionOptions& options) {
  constexpr float never = -std::numeric_limits<float>::infinity();
  for (Index row = 0; row < scores.rows(); ++row) {
    const Index query = first_row + row;
    const Index end = options.causal ? std::min(query + 1, scores.cols()) : scores.cols();
    const Index begin = options.window > 0 ? std::max<Index>(0, query + 1 - options.window) : 0;
    float* values = scores.row(row).data();
    if (!mask.empty()) {
      for (Index key = begin; key < end; ++key) {
        if (mask[static_cast<std::size_t>(key)] == 0) values[key] = never;
      }
    }
    softmax({values + begin, static_cast<std::size_t>(end - begin)});
    std::fill(values, values + begin, 0.0F);
    std::fill(values + end, values + scores.cols(), 0.0F);
  }
}

}  // namespace

std::vector<float> alibi_slopes(Index heads) {
  const auto power = std::bit_floor(static_cast<std::uint64_t>(heads));
  const auto base_of = [](double count) { return std::exp2(-std::exp2(-(std::log2(count) - 3))); };
  std::vector<float> slopes;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(heads); ++i) {
    const bool extra = i >= power;
    const double base = base_of(static_cast<double>(extra ? 2 * power : power));
    const auto exponent = static_cast<double>(extra ? 2 * (i - power) + 1 : i + 1);
    slopes.push_back(static_cast<float>(std::pow(base, exponent)));
  }
  return slopes;
}

void attend_piece(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
                  const TokenMask& mask, const AttentionOptions& options, Index first_row, Tap* tap,
                  AttentionScratch& scratch, MatrixView out) {
  const Index rows = out.rows();
  const Index keys = options.causal ? first_row + rows : q.rows();
  const Index width = q.cols() / options.heads;
  const Index sharing = options.key_value_heads == 0 ? 1 : options.heads / options.key_value_heads;
  if (scratch.size() < rows * keys) scratch.resize(rows, q.rows());
  for (Index head = 0; head < options.heads; ++head) {
    const Index first_channel = head * width;
    const Index shared_channel = head / sharing * width;
    Eigen::Map<Matrix, 0, Eigen::OuterStride<>> scores(scratch.data(), rows, keys,
                                                       Eigen::OuterStride<>(keys));
    product_transposed(q.block(first_row, first_channel, rows, width),
                       k.block(0, shared_channel, keys, width), scores);
    if (options.score_cap > 0.0F) {
      scores = (scores.array() / options.score_cap).tanh() * options.score_cap;
    }
    if (!options.slopes.empty()) {
      add_alibi(scores, options.slopes[static_cast<std::size_t>(head)], mask);
    }
    mask_and_normalize(scores, first_row, mask, options);
    if (tap != nullptr) tap->at(Node::attention_probabilities, scores, head, first_row);
    product(scores, v.block(0, shared_channel, keys, width), out.middleCols(first_channel, width));
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
