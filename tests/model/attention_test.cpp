// Attention against a plain one in double, around the sizes of its pieces.
#include "model/attention.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/recording_tap.h"
#include "support/slow_reference.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::random_matrix;
using support::RecordingTap;
using support::TapCall;
using support::within;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Case {
  Index tokens;
  Index channels;
  AttentionOptions options;
  Index left_padding;
  Index right_padding;
};

TokenMask mask_of(const Case& c) {
  if (c.left_padding + c.right_padding == 0) return {};
  TokenMask mask(static_cast<std::size_t>(c.tokens), 1);
  for (Index i = 0; i < c.left_padding; ++i) mask[static_cast<std::size_t>(i)] = 0;
  for (Index i = 1; i <= c.right_padding; ++i) mask[static_cast<std::size_t>(c.tokens - i)] = 0;
  return mask;
}

// Of keys and of values.
Index shared_channels(const Case& c) {
  const Index shared = c.options.key_value_heads;
  return shared == 0 ? c.channels : c.channels / c.options.heads * shared;
}

struct Inputs {
  explicit Inputs(const Case& c)
      : q(random_matrix(c.tokens, c.channels, 1, -2.0F, 2.0F)),
        k(random_matrix(c.tokens, shared_channels(c), 2, -2.0F, 2.0F)),
        v(random_matrix(c.tokens, shared_channels(c), 3, -2.0F, 2.0F)),
        mask(mask_of(c)) {}
  Matrix q, k, v;
  TokenMask mask;
};

Matrix attended(const Inputs& in, const AttentionOptions& options, Tap* tap = nullptr) {
  Matrix out = Matrix::Constant(in.q.rows(), in.q.cols(), nan);
  AttentionScratch scratch;
  attend(in.q, in.k, in.v, in.mask, options, tap, scratch, out);
  return out;
}

class Attention : public testing::TestWithParam<Case> {};

TEST_P(Attention, AgreesWithDoubles) {
  const Case c = GetParam();
  const Inputs in(c);
  const auto probabilities = support::slow_probabilities(in.q, in.k, in.mask, c.options);
  EXPECT_TRUE(within(attended(in, c.options),
                     support::slow_weighted(probabilities, in.v, c.options.key_value_heads)));
}

TEST_P(Attention, TapSeesEachPieceOfEachHead) {
  const Case c = GetParam();
  const Inputs in(c);
  RecordingTap tap;
  EXPECT_EQ(attended(in, c.options, &tap), attended(in, c.options));
  const auto expected = support::slow_probabilities(in.q, in.k, in.mask, c.options);
  std::size_t next = 0;
  for (Index first = 0; first < c.tokens; first += attention_piece_rows) {
    const Index rows = std::min(attention_piece_rows, c.tokens - first);
    const Index keys = c.options.causal ? first + rows : c.tokens;
    for (Index head = 0; head < c.options.heads; ++head) {
      ASSERT_LT(next, tap.calls.size());
      const TapCall& call = tap.calls[next++];
      EXPECT_EQ(call.node, Node::attention_probabilities);
      EXPECT_EQ(call.head, head);
      EXPECT_EQ(call.first_row, first);
      const Bounded& whole = expected[static_cast<std::size_t>(head)];
      EXPECT_TRUE(within(call.values, {whole.value.block(first, 0, rows, keys),
                                       whole.bound.block(first, 0, rows, keys)}));
    }
  }
  EXPECT_EQ(next, tap.calls.size());
}

// Zero, not small: what a query may not see has no weight at all.
TEST_P(Attention, WhatIsNotSeenHasProbabilityZero) {
  const Case c = GetParam();
  const Inputs in(c);
  RecordingTap tap;
  attended(in, c.options, &tap);
  for (const TapCall& call : tap.calls) {
    for (Index row = 0; row < call.values.rows(); ++row) {
      for (Index key = 0; key < call.values.cols(); ++key) {
        const bool later = c.options.causal && key > call.first_row + row;
        const bool padding = !in.mask.empty() && in.mask[static_cast<std::size_t>(key)] == 0;
        const bool before = c.options.window > 0 && call.first_row + row - key >= c.options.window;
        if (!later && !padding && !before) continue;
        ASSERT_EQ(call.values(row, key), 0.0F) << row << ", " << key;
      }
    }
  }
}

TEST_P(Attention, PieceByPieceGivesTheWhole) {
  const Case c = GetParam();
  const Inputs in(c);
  const Matrix whole = attended(in, c.options);
  Matrix pieces = Matrix::Constant(c.tokens, c.channels, nan);
  AttentionScratch scratch;
  for (Index first = 0; first < c.tokens; first += attention_piece_rows) {
    const Index rows = std::min(attention_piece_rows, c.tokens - first);
    attend_piece(in.q, in.k, in.v, in.mask, c.options, first, nullptr, scratch,
                 pieces.middleRows(first, rows));
  }
  EXPECT_EQ(pieces, whole);
}

// Any cut is right, though other sizes of a product may be summed in another order.
TEST_P(Attention, AnyPieceAgreesWithDoubles) {
  const Case c = GetParam();
  const Inputs in(c);
  const Bounded expected = support::slow_weighted(
      support::slow_probabilities(in.q, in.k, in.mask, c.options), in.v, c.options.key_value_heads);
  AttentionScratch scratch;
  for (const Index rows : {Index{1}, Index{5}, attention_piece_rows}) {
    for (Index first = 0; first + rows <= c.tokens; first += 61) {
      Matrix out = Matrix::Constant(rows, c.channels, nan);
      attend_piece(in.q, in.k, in.v, in.mask, c.options, first, nullptr, scratch, out);
      EXPECT_TRUE(within(
          out, {expected.value.middleRows(first, rows), expected.bound.middleRows(first, rows)}));
    }
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const bool causal : {true, false}) {
    for (const Index tokens : {1, 2, 17, 127, 128, 129, 300}) {
      all.push_back({tokens, 12, {.heads = 3, .causal = causal}, 0, 0});
    }
    for (const Index tokens : {5, 129, 300}) {
      all.push_back({tokens, 12, {.heads = 3, .causal = causal}, tokens - 1, 0});
      all.push_back({tokens, 12, {.heads = 3, .causal = causal}, 3, 0});
      all.push_back({tokens, 12, {.heads = 3, .causal = causal}, 0, 3});
      all.push_back({tokens, 12, {.heads = 3, .causal = causal}, 2, 1});
    }
    all.push_back({140, 1, {.heads = 1, .causal = causal}, 0, 0});
    all.push_back({140, 7, {.heads = 7, .causal = causal}, 0, 4});
    all.push_back({140, 64, {.heads = 1, .causal = causal}, 130, 0});
    for (const Index shared : {1, 2, 3, 6}) {
      all.push_back({131, 12, {.heads = 6, .key_value_heads = shared, .causal = causal}, 2, 1});
    }
    for (const float cap : {0.5F, 30.0F}) {
      all.push_back({131, 12, {.heads = 3, .causal = causal, .score_cap = cap}, 0, 5});
    }
    for (const Index heads : {1, 3, 4, 6}) {
      const std::vector<float> slopes = alibi_slopes(heads);
      all.push_back({131, 12, {.heads = heads, .causal = causal, .slopes = slopes}, 0, 0});
      all.push_back({131, 12, {.heads = heads, .causal = causal, .slopes = slopes}, 4, 3});
    }
  }
  for (const Index window : {1, 2, 127, 128, 129, 500}) {
    all.push_back({260, 12, {.heads = 3, .window = window}, 0, 0});
    all.push_back({260, 12, {.heads = 3, .window = window}, 5, 3});
  }
  // All at once: capped before the positions are added.
  all.push_back({140,
                 12,
                 {.heads = 6,
                  .key_value_heads = 2,
                  .window = 9,
                  .score_cap = 1.5F,
                  .slopes = alibi_slopes(6)},
                 3,
                 2});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cases, Attention, testing::ValuesIn(cases()), [](const auto& test) {
  const Case& c = test.param;
  return std::string(c.options.causal ? "causal" : "full") + "_tokens_" + std::to_string(c.tokens) +
         "_channels_" + std::to_string(c.channels) + "_heads_" + std::to_string(c.options.heads) +
         "_left_" + std::to_string(c.left_padding) + "_right_" + std::to_string(c.right_padding) +
         "_shared_" + std::to_string(c.options.key_value_heads) + "_window_" +
         std::to_string(c.options.window) + "_cap_" +
         std::to_string(static_cast<int>(c.options.score_cap * 10.0F)) + "_slopes_" +
         std::to_string(c.options.slopes.size());
});

// Press et al. 2022, section 3: powers of 2^(-8/n) for n heads that are a power of two; for others
// those of the power below, then every second of the power above.
TEST(AlibiSlopes, ArePublishedOnes) {
  const auto expect_slopes = [](Index heads, const std::vector<double>& exponents) {
    const std::vector<float> slopes = alibi_slopes(heads);
    ASSERT_EQ(slopes.size(), exponents.size());
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      const double expected = std::exp2(-exponents[i]);
      EXPECT_NEAR(slopes[i], expected, 0x1p-24 * expected) << heads << " heads, " << i;
    }
  };
  expect_slopes(1, {8});
  expect_slopes(2, {4, 8});
  expect_slopes(3, {4, 8, 2});
  expect_slopes(6, {2, 4, 6, 8, 1, 3});
  expect_slopes(8, {1, 2, 3, 4, 5, 6, 7, 8});
  expect_slopes(12, {1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5});
}

TEST(AttentionOf, AQueryThatSeesNoKeyIsZero) {
  const Case c{140, 12, {.heads = 3, .causal = true}, 0, 0};
  Inputs in(c);
  in.mask.assign(140, 0);
  EXPECT_EQ(attended(in, c.options), Matrix::Zero(140, 12));
  // Under a causal mask the padding on the left sees nothing.
  in.mask.assign(140, 1);
  in.mask[0] = in.mask[1] = 0;
  const Matrix out = attended(in, c.options);
  EXPECT_TRUE(out.topRows(2).isZero(0.0F));
  EXPECT_EQ(Matrix(out.row(2)), Matrix(in.v.row(2)));
}

// By hand: scores are 0, so that each key seen has the same weight.
TEST(AttentionOf, AWindowHoldsTheQueryItself) {
  Matrix v(5, 1);
  v << 1.0F, 2.0F, 4.0F, 8.0F, 16.0F;
  const Matrix zero = Matrix::Zero(5, 1);
  Matrix out(5, 1);
  AttentionScratch scratch;
  attend(zero, zero, v, {}, {.window = 2}, nullptr, scratch, out);
  Matrix expected(5, 1);
  expected << 1.0F, 1.5F, 3.0F, 6.0F, 12.0F;
  EXPECT_EQ(out, expected);
}

// By hand: with slopes of ln 2 and ln 4 the next key has two (four) times the weight.
TEST(AttentionOf, AlibiPrefersLaterKeysByItsSlope) {
  const Matrix zero = Matrix::Zero(3, 2);
  Matrix v(3, 2);
  v << 7.0F, 21.0F, 14.0F, 42.0F, 28.0F, 84.0F;
  Matrix out(3, 2);
  AttentionScratch scratch;
  attend(zero, zero, v, {}, {.heads = 2, .slopes = {std::log(2.0F), std::log(4.0F)}}, nullptr,
         scratch, out);
  EXPECT_NEAR(out(2, 0), (1 * 7 + 2 * 14 + 4 * 28) / 7.0, 1e-5);
  EXPECT_NEAR(out(2, 1), (1 * 21 + 4 * 42 + 16 * 84) / 21.0, 1e-4);
}

// Scores of 1e4 and more: the largest key takes everything, without overflow.
TEST(AttentionOf, LargeScoresStayFinite) {
  const Case c{20, 8, {.heads = 2, .causal = true}, 0, 0};
  Inputs in(c);
  in.q *= 1e3F;
  in.k *= 1e3F;
  const auto probabilities = support::slow_probabilities(in.q, in.k, in.mask, c.options);
  EXPECT_TRUE(attended(in, c.options).allFinite());
  // The bound is wide where two scores are near; the winners are not.
  EXPECT_LE(
      (attended(in, c.options).cast<double>() - support::slow_weighted(probabilities, in.v).value)
          .cwiseAbs()
          .maxCoeff(),
      1e-2);
}

TEST(AttentionOf, ATapThatWritesIsSeenDownstream) {
  class OneKey final : public Tap {
   public:
    void at(Node /*node*/, MatrixView values, Index /*head*/, Index first_row) override {
      if (first_row != 0) return;
      values.setZero();
      values.col(0).setOnes();
    }
  };
  const Case c{130, 12, {.heads = 3, .causal = true}, 0, 0};
  const Inputs in(c);
  OneKey tap;
  const Matrix out = attended(in, c.options, &tap);
  for (Index row = 0; row < attention_piece_rows; ++row) {
    ASSERT_EQ(Matrix(out.row(row)), Matrix(in.v.row(0))) << row;
  }
  const Bounded expected =
      support::slow_weighted(support::slow_probabilities(in.q, in.k, in.mask, c.options), in.v, 0);
  EXPECT_TRUE(
      within(out.bottomRows(2), {expected.value.bottomRows(2), expected.bound.bottomRows(2)}));
}

TEST(AttentionOf, ScratchIsReusedBetweenSizes) {
  AttentionScratch scratch;
  for (const Index tokens : {3, 200, 5, 129, 300, 1}) {
    const Case c{tokens, 12, {.heads = 3, .causal = tokens % 2 == 0}, 0, 0};
    const Inputs in(c);
    Matrix out = Matrix::Constant(tokens, 12, nan);
    attend(in.q, in.k, in.v, {}, c.options, nullptr, scratch, out);
    EXPECT_EQ(out, attended(in, c.options)) << tokens;
  }
}

}  // namespace
}  // namespace evenkeel
