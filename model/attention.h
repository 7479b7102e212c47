// Multi-head attention over one sample: softmax(q k^T + mask) v.
#pragma once

#include <cstdint>
#include <vector>

#include "io/matrix.h"
#include "model/attention_kernels.h"
#include "model/tap.h"

namespace evenkeel {

/// One byte a token: 1 for a real token, 0 for padding. Empty: no padding.
using TokenMask = std::vector<std::uint8_t>;
/// Of one sample; `masks` has one for each sample, or is empty: no padding.
inline bool is_padding(const std::vector<TokenMask>& masks, std::size_t sample, Index token) {
  return !masks.empty() && !masks[sample].empty() &&
         masks[sample][static_cast<std::size_t>(token)] == 0;
}

struct AttentionOptions {
  Index heads = 1;
  Index key_value_heads = 0;  // each serves heads / key_value_heads queries; 0: as many as heads
  bool causal = true;
  Index window = 0;             // keys that a query sees, itself included (causal only); 0: all
  float score_cap = 0.0F;       // scores := cap tanh(scores / cap); 0: none
  std::vector<float> slopes{};  // ALiBi, by head: slope * position of the key is added; empty: none
};

/// ALiBi's slopes (Press et al. 2022), by head.
std::vector<float> alibi_slopes(Index heads);

/// Grown as needed, reused between calls.
struct AttentionScratch {
  std::vector<PerQuery<float>> query, scores, weights, output;
  SoftmaxState softmax;
  std::vector<float> probabilities;  // [queries, keys], for a tap
};

/// out = concatenation over heads of softmax(q k^T) v, q and out
/// [tokens, heads * width], k and v [tokens, key_value_heads * width]; q is scaled already. Keys
/// that are padding, and under `causal` those after the query, get probability zero, and so do keys
/// whose score is more than 64 below the query's largest (less than 2^-92 of it); a query that may
/// see no key gives zero. Only the lower triangle is computed when causal. `tap`, if not
/// null, is called at Node::attention_probabilities for each piece and head, unless its visit there
/// is none; where it leaves them as they are, so is the result, to the bit. REQUIRES:
/// key_value_heads divides heads; mask empty or of size tokens; out aliases nothing.
void attend(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
            const TokenMask& mask, const AttentionOptions& options, Tap* tap,
            AttentionScratch& scratch, MatrixView out);

/// The same for queries [first_row, first_row + out.rows()) alone; out [queries, channels].
/// REQUIRES: out.rows() <= attention_piece_rows.
void attend_piece(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
                  const TokenMask& mask, const AttentionOptions& options, Index first_row, Tap* tap,
                  AttentionScratch& scratch, MatrixView out);

/// Only calls the tap with the probabilities of every piece and head.
void show_probabilities(const ConstMatrixView& q, const ConstMatrixView& k, const TokenMask& mask,
                        const AttentionOptions& options, Tap& tap, AttentionScratch& scratch);

}  // namespace evenkeel
