#include "calib/scheme_places.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

class SchemePlacesTest : public testing::Test {
 protected:
  bool quantizes(Index block, std::string_view module) const {
    for (const StoredLinear& linear : stored_linears(architecture_, block)) {
      if (linear.module.ends_with(module)) return is_quantized(scheme_, block, linear);
    }
    ADD_FAILURE() << "no module " << module;
    return false;
  }
  int bits(Index block, Node node) const { return scheme_of_node(scheme_, block, node).bits; }
  std::vector<std::string> faults() const { return place_faults(scheme_, architecture_); }
  void expect_fault(const std::string& part) const {
    ASSERT_EQ(faults().size(), 1U);
    EXPECT_NE(faults().front().find(part), std::string::npos) << faults().front();
  }

  support::ScratchFolder folder_;
  Checkpoint checkpoint_{support::write_tiny_opt(folder_ / "opt")};
  Architecture architecture_ = resolve_architecture(checkpoint_);
  Scheme scheme_;
};

TEST_F(SchemePlacesTest, WithoutPlacesAllAreAlike) {
  EXPECT_TRUE(faults().empty());
  for (const Node node : all_nodes)
    EXPECT_EQ(scheme_of_node(scheme_, 0, node), scheme_.activations);
  scheme_.activations.granularity = Granularity::per_channel;
  EXPECT_EQ(scheme_of_node(scheme_, 0, Node::attention_probabilities).granularity,
            Granularity::per_tensor);
  EXPECT_EQ(scheme_of_node(scheme_, 0, Node::mlp_input).granularity, Granularity::per_channel);
}

TEST_F(SchemePlacesTest, TheLastEntryThatMatchesHolds) {
  scheme_.nodes = {{"*", {.bits = 7}},
                   {"attention.*", {.bits = 6}},
                   {"blocks.1.*", {.bits = 5}},
                   {"*.mlp.hidden", {.bits = 4}},
                   {"blocks.1.attention.k*y", {.bits = 3}}};
  EXPECT_TRUE(faults().empty()) << faults().front();
  EXPECT_EQ(bits(0, Node::mlp_input), 7);
  EXPECT_EQ(bits(0, Node::attention_key), 6);
  EXPECT_EQ(bits(0, Node::mlp_hidden), 4);
  EXPECT_EQ(bits(1, Node::mlp_input), 5);
  EXPECT_EQ(bits(1, Node::mlp_hidden), 4);
  EXPECT_EQ(bits(1, Node::attention_key), 3);
  EXPECT_EQ(bits(1, Node::attention_query), 5);
}

TEST_F(SchemePlacesTest, WhatIsKeptStaysWhateverElseNamesIt) {
  scheme_.nodes = {{"mlp.hidden", {.bits = 4}}};
  scheme_.keep = {"blocks.0", "*.layers.1.fc1", "blocks.1.mlp.hidden"};
  for (const Node node : all_nodes) EXPECT_EQ(bits(0, node), unquantized_bits);
  EXPECT_EQ(bits(1, Node::mlp_input), 8);
  EXPECT_EQ(bits(1, Node::mlp_hidden), unquantized_bits);
  EXPECT_FALSE(quantizes(0, "fc2"));
  EXPECT_FALSE(quantizes(1, "fc1"));
  EXPECT_TRUE(quantizes(1, "fc2"));
  const StoredLinear fc1 = stored_linears(architecture_, 1).at(4);
  ASSERT_TRUE(fc1.module.ends_with("fc1"));
  EXPECT_EQ(scheme_of_linear(scheme_, 1, fc1).weights.bits, unquantized_bits);
  EXPECT_EQ(scheme_of_linear(scheme_, 1, fc1).activations.bits, 8);
  expect_fault("nodes.mlp.hidden: has no effect");
}

TEST_F(SchemePlacesTest, PatternsThatNameNothing) {
  for (const char* pattern : {"mlp.hiden", "blocks.2.mlp.hidden", "blocks.0", "attention", "fc1",
                              "", "mlp.hidden.*", "blocks.00.mlp.hidden"}) {
    scheme_.nodes = {{pattern, {.bits = 6}}};
    expect_fault("names nothing; nodes are attention.input, ");
    expect_fault("N = 0 .. 1");
  }
  scheme_.nodes.clear();
  for (const char* pattern : {"fc1", "blocks.2", "*.layers.2.fc1", "lm_head", "", "blocks"}) {
    scheme_.keep = {pattern};
    expect_fault("names nothing");
    expect_fault("model.decoder.layers.0.fc1");
  }
}

TEST_F(SchemePlacesTest, AnEntryBehindAMoreGeneralOneHasNoEffect) {
  scheme_.nodes = {{"mlp.hidden", {.bits = 4}}, {"mlp.*", {.bits = 6}}};
  expect_fault("nodes.mlp.hidden: has no effect");
}

TEST_F(SchemePlacesTest, WhatIsNotQuantizedAnywayNeedsNoPattern) {
  scheme_ = scheme_named("w4a16").value();
  scheme_.keep = {"attention.probabilities"};
  expect_fault("keep: 'attention.probabilities' has no effect: nothing that it names is quantized");
  scheme_.keep = {"*.fc1"};
  EXPECT_TRUE(faults().empty());
  scheme_.keep.clear();
  scheme_.nodes = {{"mlp.hidden", {.bits = unquantized_bits}}};
  expect_fault("nodes.mlp.hidden: has no effect: nothing that it names is quantized");
  scheme_.nodes = {{"mlp.*", {.bits = 8}}, {"mlp.hidden", {.bits = unquantized_bits}}};
  EXPECT_TRUE(faults().empty());
  scheme_.keep = {"mlp.input"};
  expect_fault("nodes.mlp.*: has no effect");
}

TEST_F(SchemePlacesTest, ASchemeQuantizesSomething) {
  for (const char* pattern : {"*", "blocks.*"}) {
    scheme_.keep = {pattern};
    expect_fault("keep: leaves nothing that is quantized");
  }
  scheme_.keep = {"blocks.0"};
  EXPECT_TRUE(faults().empty());
}

TEST_F(SchemePlacesTest, CombinationsWithoutMeaning) {
  const auto expect = [this](const char* pattern, TensorScheme scheme, const char* part) {
    scheme_.nodes = {{pattern, scheme}};
    expect_fault(part);
  };
  expect("attention.value", {.codes = Codes::logarithmic}, "never negative");
  expect("attention.*", {.codes = Codes::two_range}, "attention.input of opt can be");
  expect("mlp.hidden", {.granularity = Granularity::per_head}, "mlp.hidden has no heads");
  expect("attention.probabilities", {.granularity = Granularity::per_channel}, "has no channels");
  expect("mlp.hidden", {.granularity = Granularity::per_channel, .codes = Codes::two_range},
         "no range per channel");
  expect("attention.probabilities", {.granularity = Granularity::per_embedding_group},
         "has no channels");
  expect("attention.probabilities", {.range = RangeEstimator::token_wise_clipping},
         "use average_minmax");
  expect("attention.query", {.granularity = Granularity::per_token, .outlier_threshold = 6.0},
         "it names no input of linears");
  scheme_.nodes = {
      {"attention.*", {.granularity = Granularity::per_token, .outlier_threshold = 6.0}}};
  EXPECT_TRUE(faults().empty());
  scheme_.nodes = {{"mlp.hidden", {.codes = Codes::logarithmic}},
                   {"attention.probabilities", {.granularity = Granularity::per_head}}};
  EXPECT_TRUE(faults().empty());
}

TEST_F(SchemePlacesTest, OnlyReluMakesTheHiddenNodeNonNegative) {
  const Checkpoint llama(support::write_tiny_family(folder_ / "llama", support::tiny_llama()));
  scheme_.nodes = {{"mlp.hidden", {.codes = Codes::logarithmic}}};
  EXPECT_EQ(place_faults(scheme_, resolve_architecture(llama)).size(), 1U);
}

TEST_F(SchemePlacesTest, AHostilePatternCostsNothing) {
  std::string stars;
  for (int i = 0; i < 10'000; ++i) stars += "*a";
  scheme_.keep = {stars};
  expect_fault("names nothing");
}

TEST(SchemePlaces, ColumnsAreLeftOutOfInputsOfLinearsAlone) {
  const Scheme scheme = scheme_named("llm_int8").value();
  for (const Node node :
       {Node::attention_input, Node::attention_output, Node::mlp_input, Node::mlp_hidden}) {
    EXPECT_EQ(scheme_of_node(scheme, 0, node), scheme.activations);
  }
  TensorScheme others = scheme.activations;
  others.outlier_threshold = 0.0;
  for (const Node node : {Node::attention_query, Node::attention_key, Node::attention_value,
                          Node::attention_probabilities}) {
    EXPECT_EQ(scheme_of_node(scheme, 0, node), others);
  }
}

TEST(SchemePlaces, TokenWiseClippingLeavesProbabilitiesAlone) {
  Scheme scheme;
  scheme.activations.range = RangeEstimator::token_wise_clipping;
  EXPECT_EQ(scheme_of_node(scheme, 0, Node::attention_value), scheme.activations);
  EXPECT_EQ(scheme_of_node(scheme, 0, Node::attention_probabilities).range,
            RangeEstimator::average_minmax);
}

}  // namespace
}  // namespace evenkeel
