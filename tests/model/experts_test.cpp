#include "model/experts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/slow_block.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::exactly;
using support::expect_attention;
using support::Form;
using support::form_states;
using support::RecordingTap;
using support::TapCall;
using support::within;

constexpr double epsilon = std::numeric_limits<float>::epsilon();

TEST(Route, SendsEachTokenToItsLargest) {
  Matrix scores(3, 4);
  scores << 1.0F, 3.0F, 2.0F, -9.0F,  //
      0.0F, -1.0F, -2.0F, 5.0F,       //
      4.0F, 4.5F, 0.0F, 0.0F;
  const std::vector<Routing> routing = route(scores, 2);
  ASSERT_EQ(routing.size(), 4U);
  EXPECT_EQ(routing[0].tokens, (std::vector<Index>{1, 2}));
  EXPECT_EQ(routing[1].tokens, (std::vector<Index>{0, 2}));
  EXPECT_EQ(routing[2].tokens, (std::vector<Index>{0}));
  EXPECT_EQ(routing[3].tokens, (std::vector<Index>{1}));
  // The two of a token share its weight by exp(difference).
  const auto sigmoid = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  EXPECT_NEAR(routing[0].weights[0], sigmoid(-5.0), 8.0 * epsilon);
  EXPECT_NEAR(routing[0].weights[1], sigmoid(-0.5), 8.0 * epsilon);
  EXPECT_NEAR(routing[1].weights[0], sigmoid(1.0), 8.0 * epsilon);
  EXPECT_NEAR(routing[1].weights[1], sigmoid(0.5), 8.0 * epsilon);
  EXPECT_NEAR(routing[2].weights[0], sigmoid(-1.0), 8.0 * epsilon);
  EXPECT_NEAR(routing[3].weights[0], sigmoid(5.0), 8.0 * epsilon);
}

TEST(Route, OfEqualOnesTakesTheFirst) {
  const std::vector<Routing> routing = route(Matrix::Zero(2, 5), 2);
  for (std::size_t expert = 0; expert < 5; ++expert) {
    EXPECT_EQ(routing[expert].tokens.size(), expert < 2 ? 2U : 0U);
    for (const float weight : routing[expert].weights) EXPECT_EQ(weight, 0.5F);
  }
}

TEST(Route, OneExpertHasTheWholeWeight) {
  const Matrix scores = support::random_matrix(30, 7, 1, -5.0F, 5.0F);
  std::size_t sent = 0;
  const std::vector<Routing> routing = route(scores, 1);
  for (std::size_t expert = 0; expert < routing.size(); ++expert) {
    for (const Index token : routing[expert].tokens) {
      EXPECT_EQ(scores(token, static_cast<Index>(expert)), scores.row(token).maxCoeff());
      ++sent;
    }
    for (const float weight : routing[expert].weights) EXPECT_EQ(weight, 1.0F);
  }
  EXPECT_EQ(sent, 30U);
}

// All experts: the plain softmax.
TEST(Route, WeightsOfATokenAddUpToOne) {
  const Matrix scores = support::random_matrix(9, 6, 2, -5.0F, 5.0F);
  for (const Index count : {1, 3, 6}) {
    Eigen::VectorXd total = Eigen::VectorXd::Zero(9);
    for (const Routing& expert : route(scores, count)) {
      ASSERT_EQ(expert.tokens.size(), expert.weights.size());
      EXPECT_TRUE(std::is_sorted(expert.tokens.begin(), expert.tokens.end()));
      for (std::size_t i = 0; i < expert.tokens.size(); ++i) {
        total(expert.tokens[i]) += static_cast<double>(expert.weights[i]);
      }
    }
    for (Index token = 0; token < 9; ++token) EXPECT_NEAR(total(token), 1.0, 12.0 * epsilon);
  }
}

TEST(Route, NoTokensGoNowhere) {
  for (const Routing& expert : route(Matrix(0, 3), 2)) EXPECT_TRUE(expert.tokens.empty());
}

// ---- A block with a mixture.

// The router's products with what stands at mlp.input.
std::vector<Routing> routing_of(const Form& form, const Matrix& input) {
  Matrix scores(input.rows(), form.architecture.expert_count);
  apply(form.block.linear(LinearRole::router), input, scores);
  EXPECT_TRUE(within(scores, form.linear(LinearRole::router, exactly(input))));
  return route(scores, form.architecture.experts_per_token);
}

std::vector<TapCall> hidden_calls(const RecordingTap& tap) {
  std::vector<TapCall> calls;
  for (const TapCall& call : tap.calls) {
    if (call.node == Node::mlp_hidden) calls.push_back(call);
  }
  return calls;
}

TEST(ForwardOf, AMixtureWeighsItsExperts) {
  const Form form(support::tiny_mixtral(), 1);
  for (const Index tokens : {1, 3, 30}) {
    const Matrix before = form_states(tokens);
    RecordingTap tap;
    const Matrix after = form.run(before, tap);
    const Bounded middle = sum_of(exactly(before), expect_attention(form, tap, {}));
    const Matrix& input = tap.seen(Node::mlp_input);
    EXPECT_TRUE(within(input, form.norm(NormRole::mlp_input, middle)));
    Bounded mlp = exactly(Matrix::Zero(tokens, support::tiny_channels));
    const std::vector<TapCall> calls = hidden_calls(tap);
    std::size_t next = 0;
    const std::vector<Routing> routing = routing_of(form, input);
    for (std::size_t e = 0; e < routing.size(); ++e) {
      const auto& [chosen, weights] = routing[e];
      if (chosen.empty()) continue;
      const auto expert = static_cast<Index>(e);
      ASSERT_LT(next, calls.size());
      const TapCall& call = calls[next++];
      EXPECT_EQ(call.head, expert);
      const Matrix rows = input(chosen, Eigen::all);
      EXPECT_TRUE(within(call.values, form.mlp_products(expert, exactly(rows))));
      const Bounded out = form.linear({LinearRole::down, expert}, exactly(call.values));
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        const auto row = static_cast<Index>(i);
        const Bounded weighted =
            support::product_of({out.value.row(row), out.bound.row(row)}, weights[i]);
        const Bounded sum =
            support::sum_of({mlp.value.row(chosen[i]), mlp.bound.row(chosen[i])}, weighted);
        mlp.value.row(chosen[i]) = sum.value;
        mlp.bound.row(chosen[i]) = sum.bound;
      }
    }
    EXPECT_EQ(next, calls.size());
    EXPECT_TRUE(within(after, sum_of(middle, mlp)));
  }
}

// Which expert a token goes to does not depend on what a quantizer makes of the experts' input.
TEST(ForwardOf, TheRouterReadsWhatTheTapHasNotTouched) {
  class NegatingTap final : public Tap {
   public:
    void at(Node node, MatrixView values, Index head, Index first_row) override {
      recording.at(node, values, head, first_row);
      if (node == Node::mlp_input) values *= -1.0F;
    }
    RecordingTap recording;
  };
  const Form form(support::tiny_mixtral(), 0);
  NegatingTap tap;
  form.run(form_states(30), tap);
  const Matrix& input = tap.recording.seen(Node::mlp_input);
  const std::vector<Routing> routing = routing_of(form, input);
  for (const TapCall& call : hidden_calls(tap.recording)) {
    const Matrix rows = -input(routing[static_cast<std::size_t>(call.head)].tokens, Eigen::all);
    EXPECT_TRUE(within(call.values, form.mlp_products(call.head, exactly(rows))));
  }
}

TEST(ForwardOf, AMixtureStopsAfterTheLastExpert) {
  const Form form(support::tiny_mixtral(), 0);
  RecordingTap whole;
  RecordingTap stopped;
  form.run(form_states(30), whole);
  form.run(form_states(30), stopped, {}, Node::mlp_hidden);
  EXPECT_EQ(stopped.calls.size(), whole.calls.size());
  RecordingTap before;
  form.run(form_states(30), before, {}, Node::mlp_input);
  EXPECT_EQ(before.calls.back().node, Node::mlp_input);
}

}  // namespace
}  // namespace evenkeel
