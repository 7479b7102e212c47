// The inner loops of attention, for one piece of queries and one head. Queries lie side by side in
// vectors: [keys, queries] for scores, [channels, queries] for queries and outputs. A key or a
// value is then one number for all queries, read where it is, and each query's maximum and sum are
// found without looking across a vector.
#pragma once

#include <cstddef>
#include <span>

#include "io/matrix.h"

namespace evenkeel {

/// Queries that are scored together: few enough that little of a piece lies above the diagonal,
/// many enough for a key that is read once to be used often.
inline constexpr Index attention_piece_rows = 64;

/// One number for each query of a piece, aligned for any vector.
template <class T>
struct alignas(64) PerQuery {
  T values[attention_piece_rows];  // NOLINT(modernize-avoid-c-arrays): aligned for a vector
};
/// A row for each channel or key.
using QueryRows = std::span<PerQuery<float>>;
using ConstQueryRows = std::span<const PerQuery<float>>;

/// Of a piece. Kernels work in whole vectors: a few queries before `first` and from `end` on are
/// computed as well, and mean nothing.
struct QueryRange {
  Index first;
  Index end;
};

/// What softmax needs of each query: the largest score, and the sum of exp(score - largest).
struct SoftmaxState {
  PerQuery<float> largest;
  PerQuery<double> sum;
};

namespace attention_kernels {

/// rows[c][i] = x(i, c), and zero for queries beyond x.rows() in the last vector.
/// REQUIRES: x.rows() <= attention_piece_rows, rows.size() >= x.cols().
void to_rows(const ConstMatrixView& x, QueryRows rows);

/// out(i, c) = rows[c][i] * factor[i].
void from_rows(ConstQueryRows rows, const PerQuery<float>& factor, MatrixView out);

/// scores[key][i] = query i . k.row(key); `query` [channels].
void score(ConstQueryRows query, const ConstMatrixView& k, QueryRange queries, QueryRows scores);

/// largest = max(largest, scores).
void raise_largest(ConstQueryRows scores, QueryRange queries, SoftmaxState& state);

/// out = exp(scores - largest), and adds these to the sums; `out` may be `scores`.
void exponentials(ConstQueryRows scores, QueryRange queries, SoftmaxState& state, QueryRows out);

/// out[c][i] += sum over keys of weights[key][i] * v(key, c).
void add_weighted(ConstQueryRows weights, const ConstMatrixView& v, QueryRange queries,
                  QueryRows out);

}  // namespace attention_kernels
}  // namespace evenkeel
