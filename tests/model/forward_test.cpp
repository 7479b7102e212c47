// A block's forward, step by step: each node against doubles computed from the nodes before it.
#include "model/forward.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/language_model.h"
#include "support/random_matrix.h"
#include "support/recording_tap.h"
#include "support/scratch_folder.h"
#include "support/slow_block.h"
#include "support/slow_reference.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::exactly;
using support::expect_attention;
using support::Form;
using support::form_states;
using support::random_matrix;
using support::RecordingTap;
using support::slow_linear;
using support::TapCall;
using support::TinyFamily;
using support::within;

support::TinyOpt tiny(bool bias) {
  support::TinyOpt options;
  options.channels = 20;
  options.heads = 4;
  options.positions = 160;
  options.bias = bias;
  return options;
}

class Forward : public testing::Test {
 protected:
  explicit Forward(const support::TinyOpt& options = tiny(true))
      : checkpoint_(support::write_tiny_opt(folder_.path(), options)),
        architecture_(resolve_architecture(checkpoint_)),
        block_(load_block(checkpoint_, architecture_, 1)) {}

  Matrix hidden(Index tokens) const {
    return random_matrix(tokens, architecture_.channels, 5, -2.0F, 2.0F);
  }

  Matrix run(Matrix states, Tap& tap, const TokenMask& mask = {},
             std::optional<Node> last = std::nullopt) const {
    Workspace workspace;
    forward(architecture_, block_, states, mask, tap, workspace, last);
    return states;
  }

  Bounded linear(LinearRole role, const Bounded& x) const {
    return slow_linear(x, block_.linear(role).weight, block_.linear(role).bias);
  }
  Bounded norm(NormRole role, const Bounded& x) const {
    return support::slow_layer_norm(x, block_.norm(role).gain, block_.norm(role).bias, 1e-5);
  }
  Bounded query(const Matrix& input) const {
    const double factor = 1.0 / std::sqrt(static_cast<double>(architecture_.head_channels));
    return product_of(linear(LinearRole::query, exactly(input)), factor);
  }

  void expect_every_step(const Matrix& before, const TokenMask& mask) const;

  support::ScratchFolder folder_;
  Checkpoint checkpoint_;
  Architecture architecture_;
  Block block_;
};

class BiasFreeForward : public Forward {
 protected:
  BiasFreeForward() : Forward(tiny(false)) {}
};

// From what each node saw, the next; so that every bound is that of one step.
void Forward::expect_every_step(const Matrix& before, const TokenMask& mask) const {
  RecordingTap tap;
  const Matrix after = run(before, tap, mask);
  const auto seen = [&](Node node) -> const Matrix& { return tap.seen(node); };

  const Matrix& input = seen(Node::attention_input);
  EXPECT_TRUE(within(input, norm(NormRole::attention_input, exactly(before))));
  EXPECT_TRUE(within(seen(Node::attention_query), query(input)));
  EXPECT_TRUE(within(seen(Node::attention_key), linear(LinearRole::key, exactly(input))));
  EXPECT_TRUE(within(seen(Node::attention_value), linear(LinearRole::value, exactly(input))));

  const auto probabilities =
      support::slow_probabilities(seen(Node::attention_query), seen(Node::attention_key), mask,
                                  {.heads = architecture_.heads, .causal = true});
  const Matrix& context = seen(Node::attention_output);
  EXPECT_TRUE(within(context, slow_weighted(probabilities, seen(Node::attention_value))));

  const Bounded middle = sum_of(exactly(before), linear(LinearRole::output, exactly(context)));
  EXPECT_TRUE(within(seen(Node::mlp_input), norm(NormRole::mlp_input, middle)));
  Bounded activated = linear(LinearRole::up, exactly(seen(Node::mlp_input)));
  activated.value = activated.value.cwiseMax(0.0);
  EXPECT_TRUE(within(seen(Node::mlp_hidden), activated));
  EXPECT_TRUE(
      within(after, sum_of(middle, linear(LinearRole::down, exactly(seen(Node::mlp_hidden))))));
}

TEST_F(Forward, EveryStepAgreesWithDoubles) {
  for (const Index tokens : {1, 2, 33, 127, 128, 129, 150}) {
    SCOPED_TRACE(tokens);
    expect_every_step(hidden(tokens), {});
  }
}

TEST_F(Forward, EveryStepAgreesWithDoublesUnderPadding) {
  TokenMask left(140, 1);
  TokenMask right(140, 1);
  for (std::size_t i = 0; i < 9; ++i) left[i] = right[139 - i] = 0;
  expect_every_step(hidden(140), left);
  expect_every_step(hidden(140), right);
}

TEST_F(BiasFreeForward, EveryStepAgreesWithDoubles) { expect_every_step(hidden(40), {}); }

TEST_F(Forward, HardInputs) {
  const Index channels = architecture_.channels;
  expect_every_step(Matrix::Zero(5, channels), {});
  expect_every_step(Matrix::Constant(5, channels, -3.0F), {});
  Matrix outlier = hidden(5);
  outlier(2, 3) = 1e4F;
  expect_every_step(outlier, {});
}

TEST_F(Forward, GeluIsUsedWhenTheArchitectureSaysSo) {
  architecture_.activation = Activation::gelu;
  RecordingTap tap;
  run(hidden(10), tap);
  Bounded expected = linear(LinearRole::up, exactly(tap.seen(Node::mlp_input)));
  for (Index i = 0; i < expected.value.size(); ++i) {
    double& x = expected.value.data()[i];
    x = x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  }
  // The derivative of gelu is at most 1.13; erf and the rounding of its sum add 3 epsilon of x.
  expected.bound = 2.0 * expected.bound;
  expected.bound.array() += 1e-6;
  EXPECT_TRUE(within(tap.seen(Node::mlp_hidden), expected));
}

TEST_F(Forward, CallsTheTapInTheOrderOfTheNodes) {
  RecordingTap tap;
  constexpr Index tokens = 130;
  run(hidden(tokens), tap);
  std::vector<Node> order;
  for (const TapCall& call : tap.calls) {
    const bool probabilities = call.node == Node::attention_probabilities;
    if (order.empty() || order.back() != call.node) order.push_back(call.node);
    if (!probabilities) {
      EXPECT_EQ(call.values.rows(), tokens);
      EXPECT_EQ(call.values.cols(), call.node == Node::mlp_hidden ? architecture_.ffn_channels
                                                                  : architecture_.channels);
      EXPECT_EQ(call.head, 0);
      EXPECT_EQ(call.first_row, 0);
    }
  }
  EXPECT_EQ(order, std::vector<Node>(all_nodes.begin(), all_nodes.end()));
  // Pieces of queries by four heads, and seven nodes else.
  constexpr Index pieces = (tokens + attention_piece_rows - 1) / attention_piece_rows;
  EXPECT_EQ(std::ssize(tap.calls), pieces * 4 + 7);
}

TEST_F(Forward, StopsAfterTheLastNode) {
  const Matrix before = hidden(130);
  RecordingTap whole;
  run(before, whole);
  for (const Node last : all_nodes) {
    SCOPED_TRACE(name_of(last));
    RecordingTap tap;
    run(before, tap, {}, last);
    ASSERT_FALSE(tap.calls.empty());
    EXPECT_EQ(tap.calls.back().node, last);
    std::size_t expected = 0;
    for (const TapCall& call : whole.calls) {
      if (index_of(call.node) <= index_of(last)) ++expected;
    }
    ASSERT_EQ(tap.calls.size(), expected);
    for (std::size_t i = 0; i < expected; ++i) {
      EXPECT_EQ(tap.calls[i].values, whole.calls[i].values);
    }
  }
}

// Sets one node to zero.
class ZeroTap final : public Tap {
 public:
  explicit ZeroTap(Node node) : node_(node) {}
  void at(Node node, MatrixView values, Index /*head*/, Index /*first_row*/) override {
    if (node == node_) values.setZero();
  }

 private:
  Node node_;
};

TEST_F(Forward, WhatATapWritesIsWhatIsReadOn) {
  const Matrix before = hidden(130);
  NoTap nothing;
  const Matrix untouched = run(before, nothing);
  for (const Node node : all_nodes) {
    ZeroTap zero(node);
    EXPECT_GT((run(before, zero) - untouched).cwiseAbs().maxCoeff(), 1e-3F) << name_of(node);
  }
  // Known ends: without fc2's input its bias is all that the MLP adds; without attention's output
  // the projection's bias.
  RecordingTap tap;
  run(before, tap);
  ZeroTap no_hidden(Node::mlp_hidden);
  const Bounded middle = sum_of(
      exactly(before), linear(LinearRole::output, exactly(tap.seen(Node::attention_output))));
  EXPECT_TRUE(within(
      run(before, no_hidden),
      sum_of(middle,
             linear(LinearRole::down, exactly(Matrix::Zero(130, architecture_.ffn_channels))))));
}

TEST_F(Forward, AWorkspaceServesAnySize) {
  Workspace shared;
  NoTap nothing;
  for (const Index tokens : {3, 140, 1, 129}) {
    Matrix states = hidden(tokens);
    forward(architecture_, block_, states, {}, nothing, shared);
    EXPECT_EQ(states, run(hidden(tokens), nothing)) << tokens;
  }
}

// What a token becomes depends on those before it alone.
TEST_F(Forward, LaterTokensDoNotMatter) {
  NoTap nothing;
  const Matrix before = hidden(20);
  Matrix changed = before;
  changed.bottomRows(5).setConstant(7.0F);
  EXPECT_EQ(Matrix(run(before, nothing).topRows(15)), Matrix(run(changed, nothing).topRows(15)));
}

// ---- The forms of other families.

// From what attention gave on, the same to the bit, and no node before it again.
void expect_same_from_context(const Form& form, const Matrix& before, const TokenMask& mask) {
  RecordingTap whole;
  const Matrix after = form.run(before, whole, mask);
  RecordingTap rest;
  EXPECT_EQ(form.run(before, rest, mask, std::nullopt, whole.seen(Node::attention_output)), after);
  ASSERT_FALSE(rest.calls.empty());
  EXPECT_EQ(rest.calls.front().node, Node::attention_output);
  EXPECT_EQ(rest.seen(Node::mlp_input), whole.seen(Node::mlp_input));
}

void expect_every_form_step(const Form& form, const Matrix& before, const TokenMask& mask = {}) {
  const Architecture& a = form.architecture;
  RecordingTap tap;
  const Matrix after = form.run(before, tap, mask);
  expect_same_from_context(form, before, mask);
  const Bounded entering = exactly(before);
  EXPECT_TRUE(
      within(tap.seen(Node::attention_input), form.norm(NormRole::attention_input, entering)));
  const Bounded attention =
      form.norm(NormRole::attention_output, expect_attention(form, tap, mask));
  Bounded state = form.residual(NormRole::attention_input, entering);
  const Matrix& mlp_input = tap.seen(Node::mlp_input);
  const Bounded hidden = form.mlp_products(0, exactly(mlp_input));
  EXPECT_TRUE(within(tap.seen(Node::mlp_hidden), hidden));
  const Bounded mlp = form.norm(NormRole::mlp_output,
                                form.linear(LinearRole::down, exactly(tap.seen(Node::mlp_hidden))));
  if (a.parallel_residual) {
    const NormRole role =
        a.has(NormRole::mlp_input) ? NormRole::mlp_input : NormRole::attention_input;
    EXPECT_TRUE(within(mlp_input, form.norm(role, entering)));
    EXPECT_TRUE(within(after, sum_of(state, sum_of(attention, mlp))));
    return;
  }
  const Bounded middle = sum_of(state, attention);
  EXPECT_TRUE(within(mlp_input, form.norm(NormRole::mlp_input, middle)));
  EXPECT_TRUE(within(after, sum_of(form.residual(NormRole::mlp_input, middle), mlp)));
}

void expect_form(const TinyFamily& family) {
  for (const Index number : {0, 1}) {
    const Form form(family, number);
    for (const Index tokens : {1, 2, 21}) expect_every_form_step(form, form_states(tokens));
    TokenMask mask(21, 1);
    mask[19] = mask[20] = 0;
    expect_every_form_step(form, form_states(21), mask);
  }
}

TEST(ForwardOf, AParallelResidualWithOneNorm) { expect_form(support::tiny_gptj()); }
TEST(ForwardOf, AParallelResidualWithTwoNorms) { expect_form(support::tiny_falcon()); }
TEST(ForwardOf, AGatedMlpAndGroupedQueries) { expect_form(support::tiny_llama()); }
TEST(ForwardOf, TransposedWeights) { expect_form(support::tiny_gpt2()); }
TEST(ForwardOf, AnEncoderAfterItsNorms) { expect_form(support::tiny_bert(true)); }
TEST(ForwardOf, ADecoderAfterItsNorms) { expect_form(support::tiny_projected_opt()); }

TEST(ForwardOf, NeighbouringRotaryPairs) { expect_form(support::tiny_llama("cohere")); }

TEST(ForwardOf, NormsAfterTheSublayersAndCappedScores) { expect_form(support::tiny_gemma2()); }

TEST(ForwardOf, WindowsOfSomeBlocks) {
  TinyFamily family = support::tiny_llama("mistral");
  family.config["sliding_window"] = 4;
  family.config["layer_types"] = {"full_attention", "sliding_attention"};
  EXPECT_EQ(Form(family, 0).architecture.windows, (std::vector<Index>{0, 4}));
  expect_form(family);
}

// ---- Post-LayerNorm with a fold undone in the residual.

TinyFamily folded_bert() {
  TinyFamily family = support::tiny_bert(true);
  family.config["residual_transforms"] = true;
  for (const std::string norm :
       {"bert.embeddings.LayerNorm", "bert.encoder.layer.0.attention.output.LayerNorm",
        "bert.encoder.layer.0.output.LayerNorm"}) {
    family.add(norm + ".residual_scale", {support::tiny_channels});
    family.add(norm + ".residual_shift", {support::tiny_channels});
  }
  return family;
}

TEST(ForwardOf, ResidualsThatUndoAFold) { expect_form(folded_bert()); }

TEST(EnteringState, IsWhatTheResidualTakes) {
  const Matrix before = form_states(7);
  for (const TinyFamily& family : {folded_bert(), support::tiny_bert(false)}) {
    const Form form(family, 1);
    EXPECT_TRUE(within(entering_state(form.architecture, form.block, before),
                       form.residual(NormRole::attention_input, exactly(before))));
  }
  // Nothing is before the first block of OPT, and pre-LayerNorm takes what enters.
  const Form opt(support::tiny_projected_opt(), 0);
  EXPECT_EQ(entering_state(opt.architecture, opt.block, before), before);
  const Form llama(support::tiny_llama(), 1);
  EXPECT_EQ(entering_state(llama.architecture, llama.block, before), before);
}

TEST(Apply, AddsTheBiasThatThereIs) {
  const Matrix x = random_matrix(3, 5, 1);
  Linear linear{random_matrix(4, 5, 2), support::random_vector(4, 3)};
  Matrix out(3, 4);
  apply(linear, x, out);
  EXPECT_TRUE(within(out, slow_linear(exactly(x), linear.weight, linear.bias)));
  linear.bias.resize(0);
  apply(linear, x, out);
  EXPECT_TRUE(within(out, slow_linear(exactly(x), linear.weight, Vector())));
}

}  // namespace
}  // namespace evenkeel
