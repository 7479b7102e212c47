#include "model/attention_kernels.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>

// Arrays of vectors need a size that is known when compiling.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/attention_kernels.cpp"
// The order matters to Highway.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "model/exponential-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;

// Vectors of queries by rows (keys, or channels) whose sums are in registers at once, with a vector
// of each and a number to spare: of 32 registers, or of 16.
#if HWY_ARCH_X86
constexpr bool many_registers = HWY_TARGET <= HWY_AVX3;  // the better a target, the smaller
#else
constexpr bool many_registers = HWY_ARCH_ARM_A64 != 0 || HWY_ARCH_PPC != 0;
#endif
constexpr std::size_t tile_vectors = many_registers ? 4 : 2;
constexpr std::size_t tile_rows = 4;

// A range of queries in whole vectors.
struct Lanes {
  std::size_t first;
  std::size_t end;
};

Lanes lanes_of(QueryRange queries) {
  const std::size_t width = hn::Lanes(Tag());
  return {static_cast<std::size_t>(queries.first) / width * width,
          (static_cast<std::size_t>(queries.end) + width - 1) / width * width};
}

template <std::size_t count>
struct Count {
  static constexpr std::size_t value = count;
};

// Calls tile(count, first) for as many vectors at a time as a tile has, and then for what is left.
template <class Tile>
void for_each_tile(Lanes lanes, const Tile& tile) {
  const std::size_t width = hn::Lanes(Tag());
  std::size_t first = lanes.first;
  for (; first + tile_vectors * width <= lanes.end; first += tile_vectors * width) {
    tile(Count<tile_vectors>(), first);
  }
  const std::size_t left = (lanes.end - first) / width;
  if (left == 1) tile(Count<1>(), first);
  if constexpr (tile_vectors > 2) {
    if (left == 2) tile(Count<2>(), first);
    if (left == 3) tile(Count<3>(), first);
  }
}

// The factor of a row and a term: which of the two lies in neighbours is known when compiling.
struct RowsOfTerms {
  const float* values;
  std::size_t stride;
  float at(std::size_t row, std::size_t term) const { return values[row * stride + term]; }
  RowsOfTerms from(std::size_t row) const { return {values + row * stride, stride}; }
};
struct TermsOfRows {
  const float* values;
  std::size_t stride;
  float at(std::size_t row, std::size_t term) const { return values[term * stride + row]; }
  TermsOfRows from(std::size_t row) const { return {values + row, stride}; }
};

// NOLINTBEGIN(modernize-avoid-c-arrays): of vectors, which are to stay in registers
template <bool add, std::size_t vectors, std::size_t rows, class Factors>
void product_tile(ConstQueryRows terms, Factors factors, PerQuery<float>* out, std::size_t first) {
  const Tag d;
  const std::size_t width = hn::Lanes(d);
  hn::Vec<Tag> sums[rows][vectors];
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < vectors; ++j) {
      sums[i][j] = add ? hn::Load(d, out[i].values + first + j * width) : hn::Zero(d);
    }
  }
  for (std::size_t term = 0; term < terms.size(); ++term) {
    hn::Vec<Tag> x[vectors];
    for (std::size_t j = 0; j < vectors; ++j) {
      x[j] = hn::Load(d, terms[term].values + first + j * width);
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const auto y = hn::Set(d, factors.at(i, term));
      for (std::size_t j = 0; j < vectors; ++j) sums[i][j] = hn::MulAdd(x[j], y, sums[i][j]);
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < vectors; ++j) {
      hn::Store(sums[i][j], d, out[i].values + first + j * width);
    }
  }
}
// NOLINTEND(modernize-avoid-c-arrays)

// out[row] (+)= sum over terms of terms[term] * factors.at(row, term), by query.
template <bool add, class Factors>
void product(ConstQueryRows terms, Factors factors, QueryRange queries, QueryRows out) {
  for_each_tile(lanes_of(queries), [&](auto vectors, std::size_t first) {
    constexpr std::size_t wide = decltype(vectors)::value;
    std::size_t row = 0;
    for (; row + tile_rows <= out.size(); row += tile_rows) {
      product_tile<add, wide, tile_rows>(terms, factors.from(row), &out[row], first);
    }
    for (; row < out.size(); ++row) {
      product_tile<add, wide, 1>(terms, factors.from(row), &out[row], first);
    }
  });
}

void score_all(ConstQueryRows query, const float* k, std::size_t stride, QueryRange queries,
               QueryRows scores) {
  product<false>(query, RowsOfTerms{k, stride}, queries, scores);
}

void add_weighted_all(ConstQueryRows weights, const float* v, std::size_t stride,
                      QueryRange queries, QueryRows out) {
  product<true>(weights, TermsOfRows{v, stride}, queries, out);
}

void raise_largest_all(ConstQueryRows scores, QueryRange queries, SoftmaxState& state) {
  const Tag d;
  const Lanes lanes = lanes_of(queries);
  for (std::size_t i = lanes.first; i < lanes.end; i += hn::Lanes(d)) {
    auto most = hn::Load(d, state.largest.values + i);
    for (const PerQuery<float>& row : scores) most = hn::Max(most, hn::Load(d, row.values + i));
    hn::Store(most, d, state.largest.values + i);
  }
}

void exponentials_all(ConstQueryRows scores, QueryRange queries, SoftmaxState& state,
                      QueryRows out) {
  const Tag d;
  const hn::CappedTag<double, 8> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  const Lanes lanes = lanes_of(queries);
  for (std::size_t i = lanes.first; i < lanes.end; i += hn::Lanes(d)) {
    const auto largest = hn::Load(d, state.largest.values + i);
    auto sum = hn::Zero(d);
    for (std::size_t key = 0; key < scores.size(); ++key) {
      const auto value =
          exponential_of_difference(d, hn::Sub(hn::Load(d, scores[key].values + i), largest));
      hn::Store(value, d, out[key].values + i);
      sum = hn::Add(sum, value);
    }
    // NOLINTNEXTLINE(modernize-avoid-c-arrays): aligned for a vector
    HWY_ALIGN float sums[hn::MaxLanes(Tag())];
    hn::Store(sum, d, sums);
    for (std::size_t j = 0; j < hn::Lanes(d); j += hn::Lanes(wide)) {
      double* total = state.sum.values + i + j;
      const auto part = hn::PromoteTo(wide, hn::Load(narrow, sums + j));
      hn::Store(hn::Add(hn::Load(wide, total), part), wide, total);
    }
  }
}

// Four channels of as many queries as a vector has, between rows of a matrix and rows of queries.
using Quad = hn::CappedTag<float, 4>;
constexpr std::size_t quad = 4;

// Loads from where shorter stores have just been made wait for these; so many quads lie between.
constexpr std::size_t quads_at_once = 16;

void to_rows_all(const float* x, std::size_t stride, std::size_t queries, QueryRows rows) {
  const Tag d;
  const Quad four;
  const std::size_t width = hn::Lanes(d);
  const std::size_t in_quads = hn::Lanes(four) == quad ? rows.size() / quad : 0;
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): aligned for a vector
  HWY_ALIGN float gathered[quads_at_once * quad * hn::MaxLanes(Tag())] = {};
  for (std::size_t i = 0; i < queries; i += width) {
    const std::size_t count = std::min(width, queries - i);
    if (count < width) std::fill(std::begin(gathered), std::end(gathered), 0.0F);
    for (std::size_t done = 0; done < in_quads; done += quads_at_once) {
      const std::size_t quads = std::min(quads_at_once, in_quads - done);
      for (std::size_t j = 0; j < count; ++j) {
        const float* from = x + (i + j) * stride + done * quad;
        for (std::size_t q = 0; q < quads; ++q) {
          hn::Store(hn::LoadU(four, from + q * quad), four, gathered + (q * width + j) * quad);
        }
      }
      for (std::size_t q = 0; q < quads; ++q) {
        hn::Vec<Tag> v0, v1, v2, v3;
        hn::LoadInterleaved4(d, gathered + q * width * quad, v0, v1, v2, v3);
        PerQuery<float>* to = &rows[(done + q) * quad];
        hn::Store(v0, d, to[0].values + i);
        hn::Store(v1, d, to[1].values + i);
        hn::Store(v2, d, to[2].values + i);
        hn::Store(v3, d, to[3].values + i);
      }
    }
  }
  const std::size_t whole = (queries + width - 1) / width * width;
  for (std::size_t c = in_quads * quad; c < rows.size(); ++c) {
    for (std::size_t i = 0; i < queries; ++i) rows[c].values[i] = x[i * stride + c];
    std::fill(rows[c].values + queries, rows[c].values + whole, 0.0F);
  }
}

void from_rows_all(ConstQueryRows rows, const PerQuery<float>& factor, float* out,
                   std::size_t stride, std::size_t queries) {
  const Tag d;
  const Quad four;
  const std::size_t width = hn::Lanes(d);
  std::size_t c = 0;
  for (; hn::Lanes(four) == quad && c + quad <= rows.size(); c += quad) {
    for (std::size_t i = 0; i < queries; i += width) {
      // NOLINTNEXTLINE(modernize-avoid-c-arrays): aligned for a vector
      HWY_ALIGN float scattered[quad * hn::MaxLanes(Tag())];
      const auto times = hn::Load(d, factor.values + i);
      const auto row = [&](std::size_t offset) {
        return hn::Mul(hn::Load(d, rows[c + offset].values + i), times);
      };
      hn::StoreInterleaved4(row(0), row(1), row(2), row(3), d, scattered);
      const std::size_t count = std::min(width, queries - i);
      for (std::size_t j = 0; j < count; ++j) {
        hn::StoreU(hn::Load(four, scattered + j * quad), four, out + (i + j) * stride + c);
      }
    }
  }
  for (; c < rows.size(); ++c) {
    for (std::size_t i = 0; i < queries; ++i) {
      out[i * stride + c] = rows[c].values[i] * factor.values[i];
    }
  }
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel::attention_kernels {

HWY_EXPORT(score_all);
HWY_EXPORT(raise_largest_all);
HWY_EXPORT(exponentials_all);
HWY_EXPORT(add_weighted_all);
HWY_EXPORT(to_rows_all);
HWY_EXPORT(from_rows_all);

namespace {

std::size_t count_of(Index size) { return static_cast<std::size_t>(size); }

[[maybe_unused]] bool is_piece(QueryRange queries) {
  return queries.first <= queries.end && queries.end <= attention_piece_rows;
}

}  // namespace

void to_rows(const ConstMatrixView& x, QueryRows rows) {
  assert(x.rows() <= attention_piece_rows && rows.size() >= count_of(x.cols()));
  HWY_DYNAMIC_DISPATCH(to_rows_all)
  (x.data(), count_of(x.outerStride()), count_of(x.rows()), rows.first(count_of(x.cols())));
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
void from_rows(ConstQueryRows rows, const PerQuery<float>& factor, MatrixView out) {
  assert(out.rows() <= attention_piece_rows && rows.size() >= count_of(out.cols()));
  HWY_DYNAMIC_DISPATCH(from_rows_all)
  (rows.first(count_of(out.cols())), factor, out.data(), count_of(out.outerStride()),
   count_of(out.rows()));
}

void score(ConstQueryRows query, const ConstMatrixView& k, QueryRange queries, QueryRows scores) {
  assert(is_piece(queries) && query.size() >= count_of(k.cols()));
  assert(scores.size() >= count_of(k.rows()));
  HWY_DYNAMIC_DISPATCH(score_all)
  (query.first(count_of(k.cols())), k.data(), count_of(k.outerStride()), queries,
   scores.first(count_of(k.rows())));
}

void raise_largest(ConstQueryRows scores, QueryRange queries, SoftmaxState& state) {
  assert(is_piece(queries));
  HWY_DYNAMIC_DISPATCH(raise_largest_all)(scores, queries, state);
}

void exponentials(ConstQueryRows scores, QueryRange queries, SoftmaxState& state, QueryRows out) {
  assert(is_piece(queries) && out.size() >= scores.size());
  HWY_DYNAMIC_DISPATCH(exponentials_all)(scores, queries, state, out);
}

void add_weighted(ConstQueryRows weights, const ConstMatrixView& v, QueryRange queries,
                  QueryRows out) {
  assert(is_piece(queries) && weights.size() >= count_of(v.rows()));
  assert(out.size() >= count_of(v.cols()));
  HWY_DYNAMIC_DISPATCH(add_weighted_all)
  (weights.first(count_of(v.rows())), v.data(), count_of(v.outerStride()), queries,
   out.first(count_of(v.cols())));
}

}  // namespace evenkeel::attention_kernels
#endif  // HWY_ONCE
