// What a block is seen to do, against its nodes as captured.
#include "calib/analysis/block_observation.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

Matrix stacked(const std::vector<Matrix>& parts) {
  Matrix all(0, parts.front().cols());
  for (const Matrix& part : parts) {
    Matrix longer(all.rows() + part.rows(), all.cols());
    longer << all, part;
    all = std::move(longer);
  }
  return all;
}

BlockObservation observed(TinyStream& tiny, const AnalysisOptions& options = {}) {
  const Block block = tiny.block();
  return observe_and_advance(tiny.architecture(), block, tiny.stream(), options,
                             histogram_widths(tiny.architecture(), block, tiny.stream(), options));
}

TEST(BlockObservationTest, SeesEveryNodeAndMovesOn) {
  TinyStream tiny;
  TinyStream untouched;
  const BlockObservation seen = observed(tiny);
  for (const Node node : all_nodes) {
    const NodeObservation& figures = seen.nodes[index_of(node)];
    EXPECT_EQ(figures.histogram.has_value(), has_histogram(node));
    if (!is_analyzed(node)) {
      EXPECT_TRUE(figures.moments.empty());
      continue;
    }
    const Matrix values = stacked(untouched.stream().capture(
        untouched.architecture(), untouched.block(), {}, node, untouched.windows().size()));
    EXPECT_EQ(figures.moments.tokens(), static_cast<double>(values.rows()));
    EXPECT_EQ(figures.moments.statistics().low(), values.colwise().minCoeff());
    EXPECT_EQ(figures.moments.statistics().high(), values.colwise().maxCoeff());
    if (node == quantized_node) {
      TokenFigures expected;
      expected.observe(values, values.cwiseAbs().maxCoeff(), 8);
      EXPECT_NEAR(seen.tokens.rmse_per_token(), expected.rmse_per_token(), 1e-12);
      EXPECT_NEAR(seen.tokens.rmse_per_tensor(), expected.rmse_per_tensor(), 1e-12);
      EXPECT_NEAR(seen.tokens.deviation(), expected.deviation(), 1e-12);
    }
    if (!figures.histogram) continue;
    const auto& counts = figures.histogram->counts();
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) +
                  figures.histogram->below() + figures.histogram->above(),
              values.size());
    const double square = values.topRows(values.rows() / 5).cast<double>().array().square().mean();
    EXPECT_NEAR(figures.histogram->width(), 4.0 * std::sqrt(square), 1e-12);
  }
  untouched.stream().advance(untouched.architecture(), untouched.block(), {});
  for (std::size_t i = 0; i < tiny.windows().size(); ++i) {
    EXPECT_EQ(tiny.stream().at(i), untouched.stream().at(i));
  }
}

TEST(BlockObservationTest, OptionsAreRead) {
  TinyStream tiny;
  const BlockObservation seen = observed(
      tiny, {.outlier_threshold = 0.0, .bits = 2, .histogram_bins = 3, .histogram_range = 0.5});
  const NodeObservation& value = seen.nodes[index_of(Node::attention_value)];
  EXPECT_EQ(value.moments.beyond().minCoeff(), value.moments.tokens());  // no value is zero
  for (const Node node : all_nodes) {
    if (!has_histogram(node)) continue;
    EXPECT_EQ(seen.nodes[index_of(node)].histogram->width(), 0.5);
    EXPECT_EQ(seen.nodes[index_of(node)].histogram->counts().size(), 3U);
  }
  TinyStream other;
  EXPECT_GT(seen.tokens.rmse_per_token(), 10.0 * observed(other).tokens.rmse_per_token());
}

TEST(BlockObservationTest, MergedIsInAnyCaseTheSum) {
  TinyStream tiny;
  TinyStream again;
  const BlockObservation once = observed(tiny);
  BlockObservation merged;
  merged.merge(once);
  merged.merge(observed(again));
  const auto& twice = merged.nodes[index_of(Node::mlp_hidden)];
  const auto& single = once.nodes[index_of(Node::mlp_hidden)];
  EXPECT_EQ(twice.moments.tokens(), 2.0 * single.moments.tokens());
  EXPECT_EQ(twice.histogram->counts()[100], 2 * single.histogram->counts()[100]);
  EXPECT_NEAR(merged.tokens.rmse_per_tensor(), once.tokens.rmse_per_tensor(), 1e-12);
}

TEST(BlockObservationTest, WhatIsNotFiniteIsNamed) {
  // Finite weights whose products are not.
  support::TinyOpt overflowing;
  overflowing.change = [](const std::string& name, std::vector<float>& values) {
    if (!name.ends_with("layers.0.fc1.weight")) return;
    // Rows of both signs: a ReLU makes zero of one of the infinities.
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = i / 16 % 2 == 0 ? 3e38F : -3e38F;
  };
  TinyStream tiny(3, 12, overflowing);
  support::expect_error<InputError>([&] { observed(tiny); }, "mlp.hidden: channel ",
                                    {"NaN or infinite"});
}

}  // namespace
}  // namespace evenkeel
