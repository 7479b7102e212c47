// On every instruction set that this machine has, against loops in double.
#include "model/attention_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

using support::random_matrix;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<float>::epsilon();

using AttentionKernels = support::EachTarget;

// Whole vectors, some of the longest and the fewest, and ranges that start inside one.
std::vector<QueryRange> ranges() {
  return {{0, 64}, {0, 1}, {0, 17}, {5, 6}, {16, 64}, {31, 50}, {48, 63}, {63, 64}};
}

std::vector<PerQuery<float>> filled(Index rows, float value) {
  std::vector<PerQuery<float>> all(static_cast<std::size_t>(rows));
  for (auto& row : all) std::ranges::fill(row.values, value);
  return all;
}

// rows[c][i] = x(i, c) by a loop.
std::vector<PerQuery<float>> turned(const Matrix& x) {
  auto rows = filled(x.cols(), 0.0F);
  for (Index i = 0; i < x.rows(); ++i) {
    for (Index c = 0; c < x.cols(); ++c) rows[static_cast<std::size_t>(c)].values[i] = x(i, c);
  }
  return rows;
}

TEST_P(AttentionKernels, RowsThereAndBack) {
  for (const Index queries : {1, 3, 16, 31, 64}) {
    for (const Index channels : {1, 3, 4, 7, 64, 70, 131}) {
      // A part of something wider, as heads are.
      const Matrix wide = random_matrix(queries, channels + 5, 1);
      auto rows = filled(channels, nan);
      attention_kernels::to_rows(wide.middleCols(2, channels), rows);
      Matrix out = Matrix::Constant(queries, channels + 5, 77.0F);
      PerQuery<float> factor{};
      for (Index i = 0; i < queries; ++i) factor.values[i] = static_cast<float>(i + 1);
      attention_kernels::from_rows(rows, factor, out.middleCols(3, channels));
      for (Index i = 0; i < queries; ++i) {
        for (Index c = 0; c < channels; ++c) {
          ASSERT_EQ(rows[static_cast<std::size_t>(c)].values[i], wide(i, c + 2));
          ASSERT_EQ(out(i, c + 3), wide(i, c + 2) * factor.values[i]);
        }
        ASSERT_EQ(out(i, 2), 77.0F) << "written before the channels";
        ASSERT_EQ(out(i, channels + 3), 77.0F) << "written behind them";
      }
    }
  }
}

// Of sums of n products, in any order: n epsilon times the sum of their magnitudes.
TEST_P(AttentionKernels, ScoresAreProducts) {
  const Matrix queries = random_matrix(64, 19, 1);
  const auto rows = turned(queries);
  for (const Index keys : {1, 4, 5, 7, 16}) {
    const Matrix wide = random_matrix(keys, 30, 2);
    const auto k = wide.middleCols(4, 19);
    for (const auto& [first, end] : ranges()) {
      auto scores = filled(keys, nan);
      attention_kernels::score(rows, k, {first, end}, scores);
      for (Index key = 0; key < keys; ++key) {
        for (Index i = first; i < end; ++i) {
          const Vector x = queries.row(i);
          const Vector y = k.row(key);
          const double expected = x.cast<double>().dot(y.cast<double>());
          const double magnitude = x.cast<double>().cwiseAbs().dot(y.cast<double>().cwiseAbs());
          ASSERT_NEAR(scores[static_cast<std::size_t>(key)].values[i], expected,
                      20 * epsilon * magnitude);
        }
      }
    }
  }
}

TEST_P(AttentionKernels, LargestIsRaisedToTheScores) {
  const Matrix scores = random_matrix(64, 9, 3, -5.0F, 5.0F);
  for (const auto& [first, end] : ranges()) {
    SoftmaxState state{};
    std::ranges::fill(state.largest.values, 1.0F);
    attention_kernels::raise_largest(turned(scores), {first, end}, state);
    for (Index i = first; i < end; ++i) {
      ASSERT_EQ(state.largest.values[i], std::max(1.0F, scores.row(i).maxCoeff()));
    }
  }
}

// The difference is rounded, by half an epsilon of itself, and the exponential of it, and what it
// is made of, by a few epsilon.
TEST_P(AttentionKernels, ExponentialsAreThoseOfDoubles) {
  const Matrix scores = random_matrix(64, 40, 4, -70.0F, 3.0F);
  for (const auto& [first, end] : ranges()) {
    SoftmaxState state{};
    std::ranges::fill(state.largest.values, 3.0F);
    std::ranges::fill(state.sum.values, 2.0);
    auto out = filled(40, nan);
    attention_kernels::exponentials(turned(scores), {first, end}, state, out);
    for (Index i = first; i < end; ++i) {
      double sum = 2.0;
      for (Index key = 0; key < 40; ++key) {
        const double difference = static_cast<double>(scores(i, key)) - 3.0;
        const double expected = std::exp(difference);
        const float actual = out[static_cast<std::size_t>(key)].values[i];
        ASSERT_NEAR(actual, expected, (4.0 + std::abs(difference)) * epsilon * expected + 0x1p-92);
        if (difference < -64.1) {
          ASSERT_EQ(actual, 0.0F);
        }
        sum += static_cast<double>(actual);
      }
      ASSERT_NEAR(state.sum.values[i], sum, 40 * epsilon * sum);
    }
  }
}

TEST_P(AttentionKernels, ExponentialsOfNoNumbers) {
  // Whatever stands beside them.
  Matrix scores = Matrix::Constant(64, 4, -1.0F);
  for (Index i = 0; i < 64; ++i) {
    scores(i, 0) = i % 3 == 0 ? nan : -infinity;
    scores(i, 1) = -1e30F;
    scores(i, 2) = 0.0F;
  }
  SoftmaxState state{};
  auto out = turned(scores);
  attention_kernels::exponentials(out, {0, 64}, state, out);  // in place
  for (Index i = 0; i < 64; ++i) {
    if (i % 3 == 0) {
      EXPECT_TRUE(std::isnan(out[0].values[i]));
      EXPECT_TRUE(std::isnan(state.sum.values[i]));
    } else {
      EXPECT_EQ(out[0].values[i], 0.0F);
    }
    EXPECT_EQ(out[1].values[i], 0.0F);
    EXPECT_EQ(out[2].values[i], 1.0F);
  }
}

TEST_P(AttentionKernels, WeightedSumsAreAdded) {
  const Matrix weights = random_matrix(64, 33, 5, 0.0F, 1.0F);
  for (const Index channels : {1, 4, 6, 32}) {
    const Matrix wide = random_matrix(33, channels + 7, 6);
    const auto v = wide.middleCols(3, channels);
    for (const auto& [first, end] : ranges()) {
      auto out = filled(channels, 2.0F);
      attention_kernels::add_weighted(turned(weights), v, {first, end}, out);
      for (Index c = 0; c < channels; ++c) {
        for (Index i = first; i < end; ++i) {
          double expected = 2.0;
          double magnitude = 2.0;
          for (Index key = 0; key < 33; ++key) {
            const double term =
                static_cast<double>(weights(i, key)) * static_cast<double>(v(key, c));
            expected += term;
            magnitude += std::abs(term);
          }
          ASSERT_NEAR(out[static_cast<std::size_t>(c)].values[i], expected,
                      34 * epsilon * magnitude);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, AttentionKernels, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
