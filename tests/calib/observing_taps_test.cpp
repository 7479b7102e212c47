#include "calib/observing_taps.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr TensorScheme tensor_scheme{.bits = 8, .granularity = Granularity::per_tensor};

Matrix tokens_of_two_channels() {
  Matrix values(3, 2);
  values << 1.0F, -4.0F, 2.0F, 5.0F, -6.0F, 0.5F;
  return values;
}

Architecture with_heads(Index heads) {
  Architecture architecture;
  architecture.heads = architecture.key_value_heads = heads;
  return architecture;
}

TEST(StatisticsTapTest, ChannelsOfANode) {
  StatisticsTap tap(with_heads(4), 0);
  Matrix values = tokens_of_two_channels();
  tap.at(Node::mlp_input, values, 0, 0);
  const NodeStatistics& statistics = tap.statistics();
  EXPECT_EQ(statistics[index_of(Node::mlp_input)].low(), (Vector(2) << -6.0F, -4.0F).finished());
  EXPECT_EQ(statistics[index_of(Node::mlp_input)].absmax(), (Vector(2) << 6.0F, 5.0F).finished());
  EXPECT_TRUE(statistics[index_of(Node::mlp_hidden)].empty());
  EXPECT_EQ(values, tokens_of_two_channels());
}

TEST(StatisticsTapTest, ProbabilitiesCountVisibleKeysByHead) {
  StatisticsTap tap(with_heads(3), 0);
  // Queries 2 and 3 of head 1: they see 3 and 4 keys.
  Matrix probabilities(2, 4);
  probabilities << 0.5F, 0.25F, 0.25F, 0.0F, 0.1F, 0.2F, 0.3F, 0.4F;
  tap.at(Node::attention_probabilities, probabilities, 1, 2);
  const ChannelStatistics& statistics = tap.statistics()[index_of(Node::attention_probabilities)];
  ASSERT_EQ(statistics.mean().size(), 3);
  EXPECT_FLOAT_EQ(statistics.mean()(1), 2.0F / 7.0F);
  EXPECT_EQ(statistics.low()(1), 0.1F);  // not the masked zero
  EXPECT_EQ(statistics.high()(1), 0.5F);
  EXPECT_EQ(statistics.mean()(0), 0.0F);
}

TEST(StatisticsTapTest, ProbabilitiesOfAWindowAndOfAnEncoderCountWhatIsVisible) {
  Matrix probabilities(1, 4);
  probabilities << 0.0F, 0.25F, 0.75F, 0.0F;
  Architecture architecture = with_heads(1);
  architecture.windows = {2};
  StatisticsTap windowed(architecture, 0);
  windowed.at(Node::attention_probabilities, probabilities, 0, 2);  // sees keys 1 and 2
  architecture = with_heads(1);
  architecture.causal = false;
  StatisticsTap encoder(architecture, 0);
  encoder.at(Node::attention_probabilities, probabilities, 0, 2);
  const auto mean = [](StatisticsTap& tap) {
    return tap.statistics()[index_of(Node::attention_probabilities)].mean()(0);
  };
  EXPECT_FLOAT_EQ(mean(windowed), 0.5F);
  EXPECT_FLOAT_EQ(mean(encoder), 0.25F);
}

TEST(CaptureTapTest, KeepsTheWantedExpertAlone) {
  const NodeQuantizers none;
  CaptureTap tap(none, Node::mlp_hidden, 1);
  Matrix first = Matrix::Constant(1, 2, 1.0F);
  Matrix second = Matrix::Constant(3, 2, 2.0F);
  tap.at(Node::mlp_hidden, first, 0, 0);
  EXPECT_EQ(tap.captured().rows(), 0);
  tap.at(Node::mlp_hidden, second, 1, 0);
  tap.at(Node::mlp_hidden, first, 2, 0);
  EXPECT_EQ(tap.captured(), second);
}

TEST(RangeTapTest, ObservesBeforeQuantizingAndQuantizesWhatIsKnown) {
  NodeQuantizers known;
  known[index_of(Node::attention_input)].emplace(tensor_scheme, std::vector<Range>{{-1.0F, 1.0F}});
  NodeObservers observers;
  observers[index_of(Node::attention_input)].emplace(tensor_scheme);
  observers[index_of(Node::mlp_input)].emplace(tensor_scheme);
  RangeTap tap(known, observers, 3);
  Matrix values = tokens_of_two_channels();
  tap.at(Node::attention_input, values, 0, 0);
  EXPECT_EQ(tap.observers()[index_of(Node::attention_input)]->finish().front(),
            (Range{-6.0F, 5.0F}));
  EXPECT_NEAR(values.maxCoeff(), 1.0F, 0.01F);  // clamped by the known range
  Matrix untouched = tokens_of_two_channels();
  tap.at(Node::mlp_input, untouched, 0, 0);
  EXPECT_EQ(untouched, tokens_of_two_channels());
  EXPECT_EQ(tap.observers()[index_of(Node::mlp_input)]->finish().front(), (Range{-6.0F, 5.0F}));
}

TEST(RangeTapTest, ObservesIntoItsBatch) {
  TensorScheme averaged = tensor_scheme;
  averaged.range = RangeEstimator::average_minmax;
  NodeObservers observers;
  observers[index_of(Node::mlp_input)].emplace(averaged);
  const NodeQuantizers none;
  RangeTap first(none, observers, 0);
  RangeTap second(none, observers, 1);
  Matrix small = Matrix::Constant(1, 2, 1.0F);
  Matrix large = Matrix::Constant(1, 2, 3.0F);
  first.at(Node::mlp_input, small, 0, 0);
  second.at(Node::mlp_input, large, 0, 0);
  auto& total = *first.observers()[index_of(Node::mlp_input)];
  total.merge(*second.observers()[index_of(Node::mlp_input)]);
  EXPECT_EQ(total.finish().front(), (Range{2.0F, 2.0F}));
}

TEST(CaptureTapTest, KeepsTheNodeAsItWasBeforeItsQuantizer) {
  NodeQuantizers known;
  known[index_of(Node::mlp_input)].emplace(tensor_scheme, std::vector<Range>{{-1.0F, 1.0F}});
  CaptureTap tap(known, Node::mlp_input, 0);
  Matrix other = Matrix::Constant(1, 2, 8.0F);
  tap.at(Node::mlp_hidden, other, 0, 0);
  Matrix values = tokens_of_two_channels();
  tap.at(Node::mlp_input, values, 0, 0);
  EXPECT_EQ(tap.captured(), tokens_of_two_channels());
  EXPECT_NE(values, tokens_of_two_channels());
}

}  // namespace
}  // namespace evenkeel
