// A tap that only quantizes may be taken at its word (Tap::quantizer): a block's forward on codes,
// against the same on the floats that they mean.
#include "model/tap.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "model/forward.h"
#include "model/quantizing_tap.h"
#include "model/stored_linears.h"
#include "support/random_matrix.h"
#include "support/recording_tap.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"

namespace evenkeel {
namespace {

using support::TapCall;

constexpr Index tokens = 140;

class LookingTap : public QuantizingTap {
 public:
  using QuantizingTap::QuantizingTap;
  void look(Node node, const ConstMatrixView& values, Index head) override {
    calls.push_back({node, head, 0, values});
  }
  std::vector<TapCall> calls;

 protected:
  bool looks_at(Node /*node*/) const override { return true; }
};

struct Run {
  Matrix out;
  std::vector<TapCall> calls;
};

// A block of quantized weights, with their codes and without.
class QuantizedBlock {
 public:
  explicit QuantizedBlock(const support::TinyFamily& family,
                          const TensorScheme& scheme = {.bits = 8,
                                                        .granularity = Granularity::per_channel})
      : checkpoint_(support::write_tiny_family(folder_.path(), family)),
        architecture_(resolve_architecture(checkpoint_)),
        plain(load_block(checkpoint_, architecture_, 1)) {
    std::vector<PartCodes> codes;
    for (const StoredLinear& stored : stored_linears(architecture_, 1)) {
      if (stored.role() == LinearRole::router) continue;
      const QuantizedWeight quantized = quantize_weight(joined_weight(stored, plain), scheme);
      split_weight(stored, dequantize_weight(quantized), plain);
      for (PartCodes& part : split_codes(stored, quantized)) codes.push_back(std::move(part));
    }
    coded = plain;
    give_codes(codes, coded);
  }

  const Architecture& architecture() const { return architecture_; }

  Run run(const Block& block, const NodeQuantizers& quantizers) const {
    Run run{support::random_matrix(tokens, architecture_.channels, 5, -2.0F, 2.0F), {}};
    LookingTap tap(quantizers);
    Workspace workspace;
    forward(architecture_, block, run.out, {}, tap, workspace);
    run.calls = std::move(tap.calls);
    return run;
  }

  // The coded block without the floats that the readers of a node have.
  Block without_floats(Node node) const {
    Block block = coded;
    for (const LinearRole role : all_linears) {
      if (input_of(role) != node) continue;
      for (Linear& linear : block.linears[index_of(role)]) {
        EXPECT_NE(linear.codes, nullptr);
        linear.weight.setConstant(std::numeric_limits<float>::quiet_NaN());
      }
    }
    return block;
  }

 private:
  support::ScratchFolder folder_;
  Checkpoint checkpoint_;
  Architecture architecture_;

 public:
  Block plain, coded;
};

const std::vector<Node> inputs_of_linears{Node::attention_input, Node::attention_output,
                                          Node::mlp_input, Node::mlp_hidden};

NodeQuantizers quantizers_at(const std::vector<Node>& nodes, const TensorScheme& scheme) {
  NodeQuantizers quantizers;
  for (const Node node : nodes) {
    if (is_dynamic(scheme)) {
      quantizers[index_of(node)].emplace(scheme);
    } else {
      quantizers[index_of(node)].emplace(scheme, std::vector<Range>{{-2.0F, 2.5F}});
    }
  }
  return quantizers;
}

// Largest difference relative to the largest value.
double difference(const Matrix& a, const Matrix& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || !a.allFinite() || !b.allFinite()) {
    return std::numeric_limits<double>::infinity();
  }
  return static_cast<double>((a - b).cwiseAbs().maxCoeff() / b.cwiseAbs().maxCoeff());
}

void expect_alike(const Run& actual, const Run& expected, double tolerance,
                  const std::string& what) {
  EXPECT_LE(difference(actual.out, expected.out), tolerance) << what;
  ASSERT_EQ(actual.calls.size(), expected.calls.size()) << what;
  for (std::size_t i = 0; i < actual.calls.size(); ++i) {
    const TapCall& call = actual.calls[i];
    EXPECT_EQ(call.node, expected.calls[i].node) << what;
    EXPECT_EQ(call.head, expected.calls[i].head) << what;
    EXPECT_LE(difference(call.values, expected.calls[i].values), tolerance)
        << what << ", " << name_of(call.node);
  }
}

std::vector<TensorScheme> activation_schemes() {
  return {{.bits = 8},
          {.bits = 8, .granularity = Granularity::per_token},
          {.bits = 6, .granularity = Granularity::per_token, .symmetric = true}};
}

// Sums of a few tens of products, through a norm, an attention and an MLP, each of which may
// multiply what relative error it is given a few times: 1e-4 is 1000 roundings. The products' own
// tolerance is integer_linear_test.cpp's.
constexpr double rounding = 1e-4;

class ForwardCodes : public testing::Test {
 protected:
  void SetUp() override {
    if (!integer_product_is_exact()) GTEST_SKIP() << "u8 x s8 saturates on this machine";
  }
};

// One node at a time, so that no rounding error decides which code a later node's value takes. That
// the floats are not read shows that the codes are.
void expect_codes_at(const QuantizedBlock& block, const std::vector<Node>& nodes,
                     const std::string& family) {
  for (const TensorScheme& scheme : activation_schemes()) {
    for (const Node node : nodes) {
      const NodeQuantizers quantizers = quantizers_at({node}, scheme);
      const Run floats = block.run(block.plain, quantizers);
      const Run codes = block.run(block.without_floats(node), quantizers);
      const std::string what = family + " " + std::string(name_of(node));
      expect_alike(codes, floats, rounding, what);
      // Up to the quantized node nothing differs at all, so that values are as they were before.
      for (std::size_t i = 0; i < floats.calls.size() && floats.calls[i].node <= node; ++i) {
        EXPECT_EQ(codes.calls[i].values, floats.calls[i].values) << what;
      }
      EXPECT_GT(difference(block.run(block.plain, {}).out, floats.out), 10.0 * rounding) << what;
    }
  }
}

TEST_F(ForwardCodes, GiveWhatTheFloatsGive) {
  expect_codes_at(QuantizedBlock(support::tiny_llama()), inputs_of_linears, "llama");
  expect_codes_at(QuantizedBlock(support::tiny_gpt2()), inputs_of_linears, "gpt2");
  expect_codes_at(QuantizedBlock(support::tiny_falcon()), inputs_of_linears, "falcon");
  expect_codes_at(QuantizedBlock(support::tiny_gptj()), inputs_of_linears, "gptj");
}

// A value that a rounding error takes across a half gets the neighbouring code: at most a step, of
// 255 in a range, at each of the four nodes.
TEST_F(ForwardCodes, GiveWhatTheFloatsGiveWithEveryNodeQuantized) {
  const TensorScheme scheme{.bits = 8, .granularity = Granularity::per_token};
  const NodeQuantizers quantizers = quantizers_at({all_nodes.begin(), all_nodes.end()}, scheme);
  for (const auto& family : {support::tiny_llama(), support::tiny_gpt2(), support::tiny_falcon(),
                             support::tiny_mixtral(), support::tiny_bert(false)}) {
    const QuantizedBlock block(family);
    expect_alike(block.run(block.coded, quantizers), block.run(block.plain, quantizers),
                 4.0 / 255.0, family.config.at("model_type"));
  }
}

// Its router has none, and its experts read some of the tokens.
TEST_F(ForwardCodes, OfAMixtureAreThoseOfAttention) {
  const QuantizedBlock block(support::tiny_mixtral());
  expect_codes_at(block, {Node::attention_input, Node::attention_output}, "mixtral");
  for (const Node node : {Node::mlp_input, Node::mlp_hidden}) {
    const NodeQuantizers quantizers = quantizers_at({node}, {.bits = 8});
    EXPECT_EQ(block.run(block.coded, quantizers).out, block.run(block.plain, quantizers).out);
  }
}

TEST_F(ForwardCodes, AreNotReadWhereInputsHaveNone) {
  const QuantizedBlock block(support::tiny_llama());
  const TensorScheme groups{.bits = 8, .granularity = Granularity::per_group, .group_size = 4};
  for (const NodeQuantizers& quantizers :
       {NodeQuantizers(), quantizers_at({Node::mlp_input}, groups)}) {
    EXPECT_EQ(block.run(block.coded, quantizers).out, block.run(block.plain, quantizers).out);
  }
}

TEST_F(ForwardCodes, AreNotOfWeightsInGroups) {
  const QuantizedBlock block(support::tiny_llama(),
                             {.bits = 8, .granularity = Granularity::per_group, .group_size = 4});
  for (const auto& linears : block.coded.linears) {
    for (const Linear& linear : linears) EXPECT_EQ(linear.codes, nullptr);
  }
}

// New weights have no old codes.
TEST_F(ForwardCodes, GoWithTheWeightTheyAreOf) {
  QuantizedBlock block(support::tiny_gpt2());
  for (const StoredLinear& stored : stored_linears(block.architecture(), 1)) {
    split_weight(stored, joined_weight(stored, block.plain), block.coded);
    for (const StoredPart& part : stored.parts) {
      EXPECT_EQ(block.coded.linear(part.place).codes, nullptr);
    }
  }
}

}  // namespace
}  // namespace evenkeel
