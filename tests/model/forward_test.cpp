// A block's forward, step by step: each node against doubles computed from the nodes before it.
#include "model/forward.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "model/language_model.h"
#include "support/random_matrix.h"
#include "support/recording_tap.h"
#include "support/scratch_folder.h"
#include "support/slow_reference.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::exactly;
using support::random_matrix;
using support::RecordingTap;
using support::slow_linear;
using support::TapCall;
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
    const double factor = 1.0 / std::sqrt(static_cast<double>(architecture_.head_channels()));
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
  EXPECT_TRUE(within(input, norm(NormRole::attention, exactly(before))));
  EXPECT_TRUE(within(seen(Node::attention_query), query(input)));
  EXPECT_TRUE(within(seen(Node::attention_key), linear(LinearRole::key, exactly(input))));
  EXPECT_TRUE(within(seen(Node::attention_value), linear(LinearRole::value, exactly(input))));

  const auto probabilities =
      support::slow_probabilities(seen(Node::attention_query), seen(Node::attention_key), mask,
                                  {.heads = architecture_.heads, .causal = true});
  const Matrix& context = seen(Node::attention_output);
  EXPECT_TRUE(within(context, slow_weighted(probabilities, seen(Node::attention_value))));

  const Bounded middle = sum_of(exactly(before), linear(LinearRole::output, exactly(context)));
  EXPECT_TRUE(within(seen(Node::mlp_input), norm(NormRole::mlp, middle)));
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
  // Two pieces of queries by four heads, and seven nodes else.
  EXPECT_EQ(tap.calls.size(), 2U * 4U + 7U);
}

TEST_F(Forward, StopsAfterTheLastNodeAndLeavesTheStates) {
  const Matrix before = hidden(130);
  RecordingTap whole;
  run(before, whole);
  for (const Node last : all_nodes) {
    SCOPED_TRACE(name_of(last));
    RecordingTap tap;
    EXPECT_EQ(run(before, tap, {}, last), before);
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
