#include "calib/hidden_stream.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

NodeQuantizers coarse_quantizers() {
  NodeQuantizers quantizers;
  for (const Node node : {Node::attention_input, Node::mlp_hidden}) {
    quantizers[index_of(node)].emplace(
        TensorScheme{.bits = 3, .granularity = Granularity::per_token});
  }
  return quantizers;
}

Matrix after(const TinyStream& tiny, const Block& block, const NodeQuantizers& quantizers,
             std::size_t window) {
  QuantizingTap tap(quantizers);
  Workspace workspace;
  Matrix hidden = tiny.stream().at(window);
  forward(tiny.architecture(), block, hidden, {}, tap, workspace);
  return hidden;
}

TEST(HiddenStreamTest, EmbedsEachWindow) {
  const TinyStream tiny;
  ASSERT_EQ(tiny.stream().size(), tiny.windows().size());
  for (std::size_t i = 0; i < tiny.stream().size(); ++i) {
    EXPECT_EQ(tiny.stream().at(i), tiny.model().embed(tiny.windows()[i]));
  }
}

TEST(HiddenStreamTest, ErrorsOfWorkersArriveAsTheyAre) {
  const TinyStream tiny;
  std::vector<Tokens> windows(50, Tokens{1, 2, 3});
  windows[31][1] = 264;
  EXPECT_THROW(HiddenStream(tiny.model(), windows), InputError);
}

TEST(HiddenStreamTest, AdvancesEveryWindow) {
  TinyStream tiny;
  const Block block = tiny.block();
  for (const NodeQuantizers& quantizers : {NodeQuantizers{}, coarse_quantizers()}) {
    std::vector<Matrix> expected;
    for (std::size_t i = 0; i < tiny.stream().size(); ++i) {
      expected.push_back(after(tiny, block, quantizers, i));
    }
    tiny.stream().advance(tiny.architecture(), block, quantizers);
    for (std::size_t i = 0; i < tiny.stream().size(); ++i) {
      EXPECT_EQ(tiny.stream().at(i), expected[i]);
    }
  }
}

TEST(HiddenStreamTest, CapturesTheFirstWindowsAndMovesNothing) {
  const TinyStream tiny;
  const Block block = tiny.block();
  const NodeQuantizers quantizers = coarse_quantizers();
  const auto captured =
      tiny.stream().capture(tiny.architecture(), block, quantizers, Node::mlp_input, 3);
  ASSERT_EQ(captured.size(), 3U);
  for (std::size_t i = 0; i < captured.size(); ++i) {
    CaptureTap tap(quantizers, Node::mlp_input, 0);
    Workspace workspace;
    Matrix hidden = tiny.stream().at(i);
    forward(tiny.architecture(), block, hidden, {}, tap, workspace);
    EXPECT_EQ(captured[i], tap.captured());
    EXPECT_EQ(tiny.stream().at(i), tiny.model().embed(tiny.windows()[i]));
  }
}

TEST(HiddenStreamTest, StatisticsAreOfEveryWindow) {
  const TinyStream tiny;
  const Block block = tiny.block();
  const auto statistics = tiny.stream().observe(tiny.architecture(), block);
  for (const Node node : all_nodes) {
    const ChannelStatistics& seen = statistics[index_of(node)];
    if (node == Node::attention_probabilities) {
      EXPECT_EQ(seen.mean().size(), tiny.architecture().heads);
      // 12 queries see 1 to 12 keys, and each row sums to one.
      EXPECT_NEAR(seen.mean()(0), 12.0F / 78.0F, 1e-6F);
      continue;
    }
    Vector low = seen.low();
    Vector high = seen.high();
    low.setConstant(1e30F);
    high.setConstant(-1e30F);
    for (const Matrix& values :
         tiny.stream().capture(tiny.architecture(), block, {}, node, tiny.stream().size())) {
      low = low.cwiseMin(values.colwise().minCoeff());
      high = high.cwiseMax(values.colwise().maxCoeff());
    }
    EXPECT_EQ(seen.low(), low) << name_of(node);
    EXPECT_EQ(seen.high(), high) << name_of(node);
  }
}

TEST(HiddenStreamTest, StopsAtTheLastNodeAskedFor) {
  const TinyStream tiny;
  const auto statistics =
      tiny.stream().observe(tiny.architecture(), tiny.block(), Node::attention_output);
  for (const Node node : all_nodes) {
    EXPECT_EQ(statistics[index_of(node)].empty(), index_of(node) > index_of(Node::attention_output))
        << name_of(node);
  }
}

}  // namespace
}  // namespace evenkeel
