#include "calib/node_ranges.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "quantizers/embedding_groups.h"
#include "quantizers/range_method.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

// One node at a time, one window at a time, one value at a time: what the header promises, written
// down plainly. Per tensor only.
class PlainTap final : public Tap {
 public:
  using Known = std::array<std::optional<AffineParameters>, node_count>;

  PlainTap(const Known& known, CodeRange codes, Node wanted)
      : known_(known), codes_(codes), wanted_(wanted) {}

  void at(Node node, MatrixView values, Index /*head*/, Index /*first_row*/) override {
    const auto& parameters = known_[index_of(node)];
    for (Index row = 0; row < values.rows(); ++row) {
      for (Index column = 0; column < values.cols(); ++column) {
        float& value = values(row, column);
        if (node == wanted_) {
          low = std::min(low, value);
          high = std::max(high, value);
        }
        if (parameters) {
          value =
              reference::dequantize(reference::quantize(value, *parameters, codes_), *parameters);
        }
      }
    }
  }

  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

 private:
  const Known& known_;
  CodeRange codes_;
  Node wanted_;
};

Range plain_range(const TinyStream& tiny, const Block& block, const PlainTap::Known& known,
                  const TensorScheme& scheme, Node node, std::size_t count, std::size_t batch) {
  std::vector<Range> batches;
  for (std::size_t i = 0; i < count; ++i) {
    PlainTap tap(known, code_range(scheme.bits, scheme.symmetric), node);
    Matrix hidden = tiny.stream().at(i);
    Workspace workspace;
    forward(tiny.architecture(), block, hidden, {}, tap, workspace);
    if (i % batch == 0) batches.push_back({tap.low, tap.high});
    batches.back().low = std::min(batches.back().low, tap.low);
    batches.back().high = std::max(batches.back().high, tap.high);
  }
  if (scheme.range == RangeEstimator::minmax) {
    Range whole = batches.front();
    for (const Range& range : batches) {
      whole = {std::min(whole.low, range.low), std::max(whole.high, range.high)};
    }
    return whole;
  }
  double low = 0.0;
  double high = 0.0;
  for (const Range& range : batches) {
    low += static_cast<double>(range.low);
    high += static_cast<double>(range.high);
  }
  const auto number = static_cast<double>(batches.size());
  return {static_cast<float>(low / number), static_cast<float>(high / number)};
}

std::array<Range, node_count> plain_ranges(const TinyStream& tiny, const Block& block,
                                           const Scheme& scheme, std::size_t count,
                                           std::size_t batch) {
  std::array<Range, node_count> ranges;
  PlainTap::Known known;
  PlainTap::Known final_known;
  for (const Node node : all_nodes) {
    const Range range = plain_range(tiny, block, known, scheme.activations, node, count, batch);
    ranges[index_of(node)] = range;
    final_known[index_of(node)] =
        affine_parameters(range, scheme.activations.bits, scheme.activations.symmetric);
    if (scheme.propagate == Propagate::quantized) known = final_known;
  }
  return ranges;
}

Scheme scheme_of(int bits, RangeEstimator range, bool symmetric, Propagate propagate) {
  Scheme scheme;
  scheme.activations = {
      .bits = bits, .granularity = Granularity::per_tensor, .symmetric = symmetric, .range = range};
  scheme.propagate = propagate;
  return scheme;
}

TEST(NodeRangesTest, EqualAPlainCalibration) {
  const TinyStream tiny(5, 12);
  const Block block = tiny.block();
  for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
    for (const RangeEstimator range : {RangeEstimator::minmax, RangeEstimator::average_minmax}) {
      for (const bool symmetric : {false, true}) {
        const Scheme scheme = scheme_of(4, range, symmetric, propagate);
        // 5 windows: batches of 2, 2 and 1.
        const auto expected = plain_ranges(tiny, block, scheme, 5, 2);
        const auto actual = observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 2, scheme);
        for (const Node node : all_nodes) {
          ASSERT_TRUE(actual[index_of(node)]);
          EXPECT_EQ(actual[index_of(node)]->scheme(), scheme.activations);
          EXPECT_EQ(actual[index_of(node)]->ranges(),
                    (std::vector<Range>{expected[index_of(node)]}))
              << name_of(node) << ' ' << name_of(propagate) << ' ' << name_of(range);
        }
      }
    }
  }
}

TEST(NodeRangesTest, EarlierNodesAreQuantizedAndMatter) {
  const TinyStream tiny;
  const Block block = tiny.block();
  const auto ranges = [&](Propagate propagate) {
    return observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 2,
                          scheme_of(3, RangeEstimator::minmax, false, propagate));
  };
  const auto quantized = ranges(Propagate::quantized);
  const auto full = ranges(Propagate::full_precision);
  EXPECT_EQ(quantized[0]->ranges(), full[0]->ranges());
  for (std::size_t node = 1; node < node_count; ++node) {
    if (all_nodes[node] == Node::attention_probabilities) continue;  // one and zero in both
    EXPECT_NE(quantized[node]->ranges(), full[node]->ranges()) << name_of(all_nodes[node]);
  }
}

TEST(NodeRangesTest, OnlyTheNodesBeforeTheEndAndTheFirstWindows) {
  const TinyStream tiny;
  const Block block = tiny.block();
  const Scheme scheme = scheme_of(4, RangeEstimator::minmax, false, Propagate::quantized);
  const auto expected = plain_ranges(tiny, block, scheme, 2, 8);
  for (const Node end : all_nodes) {
    const auto actual =
        observe_ranges(tiny.architecture(), block, tiny.stream(), 2, 8, scheme, end);
    for (const Node node : all_nodes) {
      ASSERT_EQ(actual[index_of(node)].has_value(), index_of(node) < index_of(end))
          << name_of(node) << " before " << name_of(end);
      if (index_of(node) >= index_of(end)) continue;
      EXPECT_EQ(actual[index_of(node)]->ranges(), (std::vector<Range>{expected[index_of(node)]}));
    }
  }
}

TEST(NodeRangesTest, EmbeddingGroupsShareTheRangesOfTheirChannels) {
  const TinyStream tiny;
  const Block block = tiny.block();
  Scheme scheme = scheme_of(8, RangeEstimator::minmax, false, Propagate::full_precision);
  scheme.activations.granularity = Granularity::per_channel;
  const auto channels = observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 8, scheme);
  scheme.activations.granularity = Granularity::per_embedding_group;
  const auto groups = observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 8, scheme);
  for (const Node node : all_nodes) {
    const auto& own = channels[index_of(node)]->ranges();
    if (node == Node::attention_probabilities) {
      EXPECT_EQ(groups[index_of(node)]->scheme().granularity, Granularity::per_tensor);
      EXPECT_EQ(groups[index_of(node)]->ranges(), own);
      continue;
    }
    EXPECT_EQ(groups[index_of(node)]->ranges(),
              shared_ranges(own, embedding_groups(own, scheme.activations)));
  }
}

TEST(NodeRangesTest, PerChannelButForProbabilities) {
  const TinyStream tiny;
  const Block block = tiny.block();
  Scheme scheme = scheme_of(8, RangeEstimator::minmax, false, Propagate::full_precision);
  scheme.activations.granularity = Granularity::per_channel;
  const auto actual = observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 8, scheme);
  const auto statistics = tiny.stream().observe(tiny.architecture(), block);
  for (const Node node : all_nodes) {
    const auto& ranges = actual[index_of(node)]->ranges();
    if (node == Node::attention_probabilities) {
      EXPECT_EQ(actual[index_of(node)]->scheme().granularity, Granularity::per_tensor);
      EXPECT_EQ(ranges.size(), 1U);
      continue;
    }
    const ChannelStatistics& seen = statistics[index_of(node)];
    ASSERT_EQ(static_cast<Index>(ranges.size()), seen.low().size());
    for (std::size_t channel = 0; channel < ranges.size(); ++channel) {
      EXPECT_EQ(ranges[channel].low, seen.low()(static_cast<Index>(channel)));
      EXPECT_EQ(ranges[channel].high, seen.high()(static_cast<Index>(channel)));
    }
  }
}

// Every value of a node, whatever is known of those before it.
class CollectingTap final : public Tap {
 public:
  explicit CollectingTap(Node wanted) : wanted_(wanted) {}
  void at(Node node, MatrixView values, Index /*head*/, Index /*first_row*/) override {
    if (node != wanted_) return;
    for (Index row = 0; row < values.rows(); ++row) {
      const auto one = row_of(values, row);
      all.insert(all.end(), one.begin(), one.end());
    }
  }
  std::vector<float> all;

 private:
  Node wanted_;
};

TEST(NodeRangesTest, EstimatorsThatWantAnotherPassGetTheSameValues) {
  const TinyStream tiny;
  const Block block = tiny.block();
  Scheme scheme = scheme_of(4, RangeEstimator::percentile, false, Propagate::full_precision);
  scheme.activations.percentile = 0.9;
  // Each node stops when it has seen enough.
  scheme.nodes = {{"mlp.*", {.bits = 4, .range = RangeEstimator::omse}},
                  {"attention.query", {.bits = 4}}};
  const auto actual = observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 2, scheme);
  for (const Node node : all_nodes) {
    CollectingTap tap(node);
    for (std::size_t i = 0; i < 5; ++i) {
      Matrix hidden = tiny.stream().at(i);
      Workspace workspace;
      forward(tiny.architecture(), block, hidden, {}, tap, workspace);
    }
    EXPECT_EQ(actual[index_of(node)]->ranges(),
              (std::vector<Range>{range_by(actual[index_of(node)]->scheme(), tap.all)}))
        << name_of(node);
  }
  // With the nodes before them quantized, the passes still agree (else a rank would be missing).
  scheme.propagate = Propagate::quantized;
  EXPECT_NO_THROW(observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 2, scheme));
}

TEST(NodeRangesTest, DynamicSchemesHaveNone) {
  const TinyStream tiny;
  for (const Granularity granularity : {Granularity::per_token, Granularity::per_group}) {
    Scheme scheme;
    scheme.activations = {.bits = 4, .granularity = granularity, .group_size = 5};
    const auto all = observe_ranges(tiny.architecture(), tiny.block(), tiny.stream(), 5, 2, scheme);
    for (const auto& quantizer : all) {
      ASSERT_TRUE(quantizer);
      EXPECT_EQ(quantizer->scheme(), scheme.activations);
      EXPECT_TRUE(quantizer->ranges().empty());
    }
    const auto some = observe_ranges(tiny.architecture(), tiny.block(), tiny.stream(), 5, 2, scheme,
                                     Node::mlp_input);
    EXPECT_TRUE(some[index_of(Node::attention_output)]);
    EXPECT_FALSE(some[index_of(Node::mlp_input)]);
  }
}

TEST(NodeRangesTest, NotFiniteActivationsNameTheNode) {
  TinyStream tiny;
  Block block = tiny.block();
  block.linear(LinearRole::key).bias(3) = std::numeric_limits<float>::quiet_NaN();
  try {
    observe_ranges(tiny.architecture(), block, tiny.stream(), 5, 2, Scheme{});
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("attention.key: ")) << error.what();
  }
}

}  // namespace
}  // namespace evenkeel
