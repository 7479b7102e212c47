#include "model/attention.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <span>

#include "model/attention_kernels.h"

namespace evenkeel {
namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

// Keys whose scores are turned into weights, and used, while they are at hand.
constexpr Index run_keys = 64;
// Along the diagonal, so that little is computed of what is masked.
constexpr Index diagonal_keys = 16;

bool is_masked(const TokenMask& mask, Index key) {
  return !mask.empty() && mask[static_cast<std::size_t>(key)] == 0;
}

// Keys [first, first + count), of which queries before `first_query` see none.
struct KeyRun {
  Index first;
  Index count;
  Index first_query;
};

// One piece of queries: what of the keys it sees, and how.
class Piece {
 public:
  Piece(const TokenMask& mask, const AttentionOptions& options, Index tokens, Index first_row,
        Index rows)
      : mask_(mask),
        options_(options),
        first_row_(first_row),
        rows_(rows),
        keys_(options.causal ? first_row + rows : tokens) {
    const Index begin =
        options.window > 0 ? std::max(Index{0}, first_row + 1 - options.window) : Index{0};
    // No query precedes these keys, so that none is masked for causality's sake.
    before_diagonal_ = options.causal ? std::max(begin, first_row) : keys_;
    add_runs(begin, before_diagonal_, run_keys);
    add_runs(before_diagonal_, keys_, diagonal_keys);
    if (options.slopes.empty()) return;
    Index position = 0;  // counts real tokens; padding has position zero
    for (Index key = 0; key < keys_; ++key) {
      positions_.push_back(is_masked(mask, key) ? 0.0F : static_cast<float>(position++));
    }
  }

  const std::vector<KeyRun>& runs() const { return runs_; }
  Index keys() const { return keys_; }

  // Scores as the products gave them become those that softmax is taken of.
  void adjust(const KeyRun& run, Index head, QueryRows scores) const {
    const bool plain = options_.score_cap == 0.0F && options_.slopes.empty() &&
                       options_.window == 0 && mask_.empty();
    if (plain && run.first < before_diagonal_) return;
    for (Index i = 0; i < run.count; ++i) {
      const Index key = run.first + i;
      Eigen::Map<Eigen::ArrayXf> row(scores[static_cast<std::size_t>(i)].values, rows_);
      if (options_.score_cap > 0.0F) {
        row = (row / options_.score_cap).tanh() * options_.score_cap;
      }
      if (!positions_.empty()) {
        row += options_.slopes[static_cast<std::size_t>(head)] *
               positions_[static_cast<std::size_t>(key)];
      }
      const auto [first, end] = seeing(key);
      row.head(first).setConstant(never);
      row.tail(rows_ - end).setConstant(never);
    }
  }

 private:
  void add_runs(Index first, Index end, Index most) {
    for (; first < end; first += most) {
      const Index first_query = options_.causal ? std::max(Index{0}, first - first_row_) : Index{0};
      runs_.push_back({first, std::min(most, end - first), first_query});
    }
  }

  // The queries that see a key, from the piece's first on.
  QueryRange seeing(Index key) const {
    if (is_masked(mask_, key)) return {rows_, rows_};
    const Index first = options_.causal ? std::max(Index{0}, key - first_row_) : Index{0};
    if (options_.window == 0) return {first, rows_};
    return {first, std::clamp(key + options_.window - first_row_, first, rows_)};
  }

  const TokenMask& mask_;
  const AttentionOptions& options_;
  Index first_row_;
  Index rows_;
  Index keys_;
  Index before_diagonal_ = 0;
  std::vector<KeyRun> runs_;
  std::vector<float> positions_;
};

// One head of a piece on its way.
class HeadOfPiece {
 public:
  HeadOfPiece(const Piece& piece, Index rows, AttentionScratch& scratch)
      : piece_(piece), rows_(rows), scratch_(scratch) {
    const auto keys = static_cast<std::size_t>(piece.keys());
    if (scratch.scores.size() < keys) scratch.scores.resize(keys);
    scratch.weights.resize(run_keys);
  }

  void score(const ConstMatrixView& q, const ConstMatrixView& k, Index head) {
    scratch_.query.resize(static_cast<std::size_t>(q.cols()));
    attention_kernels::to_rows(q, scratch_.query);
    std::fill_n(scratch_.softmax.largest.values, attention_piece_rows, never);
    std::fill_n(scratch_.softmax.sum.values, attention_piece_rows, 0.0);
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::score(scratch_.query, k.middleRows(run.first, run.count), queries(run),
                               scores(run));
      piece_.adjust(run, head, scores(run));
      attention_kernels::raise_largest(scores(run), queries(run), scratch_.softmax);
    }
    // Where all is masked, anything finite gives the zeros that are meant, while -infinity less
    // itself would be NaN.
    for (float& largest : scratch_.softmax.largest.values) {
      if (largest == never) largest = 0.0F;
    }
  }

  // NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
  void weigh(const ConstMatrixView& v, MatrixView out) {
    clear_output(v.cols());
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::exponentials(scores(run), queries(run), scratch_.softmax,
                                      scratch_.weights);
      attention_kernels::add_weighted(scratch_.weights, v.middleRows(run.first, run.count),
                                      queries(run), scratch_.output);
    }
    attention_kernels::from_rows(scratch_.output, inverse_sums(), out);
  }

  // The same after `show`, with what the tap made of the probabilities. Those that it left as they
  // were give the same to the bit, whether or not they were shown.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
  void weigh_shown(const ConstMatrixView& v, Visit visit, MatrixView out) {
    clear_output(v.cols());
    if (visit == Visit::may_change && !is_unchanged()) {
      weigh_probabilities(v, out);
      return;
    }
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::add_weighted(scores(run), v.middleRows(run.first, run.count), queries(run),
                                      scratch_.output);
    }
    attention_kernels::from_rows(scratch_.output, inverse_sums(), out);
  }

  // Scores become their exponentials.
  void show(Tap& tap, Index head, Index first_row) {
    const auto size = static_cast<std::size_t>(rows_ * stride());
    if (scratch_.probabilities.size() < size) scratch_.probabilities.resize(size);
    probabilities().leftCols(piece_.runs().front().first).setZero();  // before the window
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::exponentials(scores(run), queries(run), scratch_.softmax, scores(run));
      for (PerQuery<float>& row : scores(run)) std::fill_n(row.values, run.first_query, 0.0F);
    }
    const PerQuery<float> inverse = inverse_sums();
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::from_rows(scores(run), inverse,
                                   probabilities().middleCols(run.first, run.count));
    }
    tap.at(Node::attention_probabilities, probabilities(), head, first_row);
  }

 private:
  QueryRange queries(const KeyRun& run) const { return {run.first_query, rows_}; }
  QueryRows scores(const KeyRun& run) const {
    return QueryRows(scratch_.scores)
        .subspan(static_cast<std::size_t>(run.first), static_cast<std::size_t>(run.count));
  }

  // Rows a power of two apart would share few places of a cache.
  Index stride() const { return piece_.keys() + 16; }
  MatrixView probabilities() const {
    return Eigen::Map<Matrix, 0, Eigen::OuterStride<>>(
        scratch_.probabilities.data(), rows_, piece_.keys(), Eigen::OuterStride<>(stride()));
  }

  bool is_unchanged() const {
    const PerQuery<float> inverse = inverse_sums();
    const auto same = [&](const PerQuery<float>& now, const PerQuery<float>& before) {
      for (Index i = 0; i < rows_; ++i) {
        if (now.values[i] != before.values[i] * inverse.values[i]) return false;
      }
      return true;
    };
    for (const KeyRun& run : piece_.runs()) {
      attention_kernels::to_rows(probabilities().middleCols(run.first, run.count),
                                 scratch_.weights);
      if (!std::ranges::equal(std::span(scratch_.weights).first(scores(run).size()), scores(run),
                              same)) {
        return false;
      }
    }
    const Index unseen = piece_.runs().front().first;
    return (probabilities().leftCols(unseen).array() == 0.0F).all();
  }

  // NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
  void weigh_probabilities(const ConstMatrixView& v, MatrixView out) {
    for (Index first = 0; first < piece_.keys(); first += run_keys) {
      const Index count = std::min(run_keys, piece_.keys() - first);
      attention_kernels::to_rows(probabilities().middleCols(first, count), scratch_.weights);
      attention_kernels::add_weighted(scratch_.weights, v.middleRows(first, count), {0, rows_},
                                      scratch_.output);
    }
    PerQuery<float> one;
    std::fill_n(one.values, attention_piece_rows, 1.0F);
    attention_kernels::from_rows(scratch_.output, one, out);
  }

  void clear_output(Index channels) {
    scratch_.output.assign(static_cast<std::size_t>(channels), PerQuery<float>{});
  }

  PerQuery<float> inverse_sums() const {
    PerQuery<float> inverse{};
    for (Index i = 0; i < rows_; ++i) {
      const double sum = scratch_.softmax.sum.values[i];
      inverse.values[i] = sum == 0.0 ? 1.0F : static_cast<float>(1.0 / sum);
    }
    return inverse;
  }

  const Piece& piece_;
  Index rows_;
  AttentionScratch& scratch_;
};

struct Channels {
  Index first;
  Index count;
};

// Calls work(scored head, its number, its channels, those that it shares of keys and values).
template <class Work>
void for_each_head(const ConstMatrixView& q, const ConstMatrixView& k, const TokenMask& mask,
                   const AttentionOptions& options, Index first_row, Index rows,
                   AttentionScratch& scratch, const Work& work) {
  const Index width = q.cols() / options.heads;
  const Index sharing = options.key_value_heads == 0 ? 1 : options.heads / options.key_value_heads;
  const Piece piece(mask, options, q.rows(), first_row, rows);
  HeadOfPiece of_head(piece, rows, scratch);
  for (Index head = 0; head < options.heads; ++head) {
    const Channels own{head * width, width};
    const Channels shared{head / sharing * width, width};
    of_head.score(q.block(first_row, own.first, rows, width),
                  k.middleCols(shared.first, shared.count), head);
    work(of_head, head, own, shared);
  }
}

template <class Work>
void for_each_piece(Index tokens, const Work& work) {
  for (Index first_row = 0; first_row < tokens; first_row += attention_piece_rows) {
    work(first_row, std::min(attention_piece_rows, tokens - first_row));
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
  assert(out.rows() <= attention_piece_rows);
  const Visit visit = tap == nullptr ? Visit::none : tap->visit(Node::attention_probabilities);
  for_each_head(q, k, mask, options, first_row, out.rows(), scratch,
                [&](HeadOfPiece& piece, Index head, const Channels& own, const Channels& shared) {
                  const ConstMatrixView values = v.middleCols(shared.first, shared.count);
                  const MatrixView result = out.middleCols(own.first, own.count);
                  if (visit == Visit::none) {
                    piece.weigh(values, result);
                  } else {
                    piece.show(*tap, head, first_row);
                    piece.weigh_shown(values, visit, result);
                  }
                });
}

void attend(const ConstMatrixView& q, const ConstMatrixView& k, const ConstMatrixView& v,
            const TokenMask& mask, const AttentionOptions& options, Tap* tap,
            AttentionScratch& scratch, MatrixView out) {
  for_each_piece(q.rows(), [&](Index first_row, Index rows) {
    attend_piece(q, k, v, mask, options, first_row, tap, scratch, out.middleRows(first_row, rows));
  });
}

void show_probabilities(const ConstMatrixView& q, const ConstMatrixView& k, const TokenMask& mask,
                        const AttentionOptions& options, Tap& tap, AttentionScratch& scratch) {
  for_each_piece(q.rows(), [&](Index first_row, Index rows) {
    for_each_head(q, k, mask, options, first_row, rows, scratch,
                  [&](HeadOfPiece& piece, Index head, const Channels& /*own*/,
                      const Channels& /*shared*/) { piece.show(tap, head, first_row); });
  });
}

}  // namespace evenkeel
