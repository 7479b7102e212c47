// One block of a small family, and its steps written plainly in double (slow_reference.h), for
// tests of every form that a block may have.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "model/forward.h"
#include "model/rotary.h"
#include "support/random_matrix.h"
#include "support/recording_tap.h"
#include "support/scratch_folder.h"
#include "support/slow_reference.h"
#include "support/tiny_families.h"

namespace evenkeel::support {

inline constexpr double float_epsilon = std::numeric_limits<float>::epsilon();

inline double slow_activation(Activation kind, double x) {
  switch (kind) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh:
      return 0.5 * x *
             (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
  }
  return std::nan("");
}

// No activation is steeper than 1.13, and each rounds a few times at no more than x.
inline Bounded activated(Activation kind, const Bounded& x) {
  Bounded out = x;
  out.value = x.value.unaryExpr([&](double value) { return slow_activation(kind, value); });
  out.bound = 1.2 * x.bound + 8.0 * float_epsilon * x.value.cwiseAbs();
  return out;
}

inline Bounded elementwise_product(const Bounded& a, const Bounded& b) {
  Bounded out{a.value.cwiseProduct(b.value), {}};
  out.bound = a.bound.cwiseProduct(b.value.cwiseAbs()) + b.bound.cwiseProduct(a.value.cwiseAbs()) +
              a.bound.cwiseProduct(b.bound) + float_epsilon * out.value.cwiseAbs();
  return out;
}

// One block of a family, and its steps in double.
class Form {
 public:
  Form(const TinyFamily& family, Index number)
      : checkpoint_(write_tiny_family(folder_.path(), family)),
        architecture(resolve_architecture(checkpoint_)),
        block(load_block(checkpoint_, architecture, number)) {}

  Matrix run(Matrix states, Tap& tap, const TokenMask& mask = {},
             std::optional<Node> last = std::nullopt,
             std::optional<Matrix> context = std::nullopt) const {
    Workspace workspace;
    forward(architecture, block, states, mask, tap, workspace, last, std::move(context));
    return states;
  }

  Bounded linear(LinearPlace place, const Bounded& x) const {
    return slow_linear(x, block.linear(place).weight, block.linear(place).bias);
  }
  // As it is where the block has no such norm.
  Bounded norm(NormRole role, const Bounded& x) const {
    const Norm& norm = block.norm(role);
    if (!norm.present()) return x;
    const auto small = static_cast<double>(architecture.norm_epsilon);
    switch (architecture.norm_kind) {
      case NormKind::layer:
        return slow_layer_norm(x, norm.gain, norm.bias, small);
      case NormKind::rms:
        return slow_rms_norm(x, norm.gain, 0.0, small);
      case NormKind::rms_plus_one:
        return slow_rms_norm(x, norm.gain, 1.0, small);
    }
    return {};
  }
  // What the sum after a sublayer takes: what entered, or what the norm gave, a fold undone.
  Bounded residual(NormRole role, const Bounded& x) const {
    if (!architecture.residual_after_norm) return x;
    Bounded state = norm(role, x);
    const Norm& undone = block.norm(role);
    if (undone.residual_scale.size() == 0) return state;
    for (Index c = 0; c < state.value.cols(); ++c) {
      const auto scale = static_cast<double>(undone.residual_scale(c));
      const auto shift = static_cast<double>(undone.residual_shift(c));
      state.value.col(c) *= scale;
      state.bound.col(c) *= std::abs(scale);
      state.bound.col(c).array() +=
          2.0 * float_epsilon * (state.value.col(c).array().abs() + std::abs(shift));
      state.value.col(c).array() += shift;
    }
    return state;
  }
  // Query or key.
  Bounded turned(LinearRole role, const Matrix& input) const {
    const Bounded product = linear(role, exactly(input));
    if (architecture.position_kind != PositionKind::rotary) return product;
    return slow_rotation(architecture.rotary.pairs, rotary_frequencies(architecture.rotary),
                         architecture.head_channels, product);
  }
  Bounded mlp_products(Index expert, const Bounded& x) const {
    const Bounded up = linear({LinearRole::up, expert}, x);
    if (!architecture.gated()) return activated(architecture.activation, up);
    return elementwise_product(
        activated(architecture.activation, linear({LinearRole::gate, expert}, x)), up);
  }

 private:
  ScratchFolder folder_;
  Checkpoint checkpoint_;

 public:
  Architecture architecture;
  Block block;
};

inline Matrix form_states(Index tokens) {
  return random_matrix(tokens, tiny_channels, 5, -2.0F, 2.0F);
}

// Attention, from what each of its nodes saw; gives what it adds.
inline Bounded expect_attention(const Form& form, const RecordingTap& tap, const TokenMask& mask) {
  const Architecture& a = form.architecture;
  const Matrix& input = tap.seen(Node::attention_input);
  EXPECT_TRUE(within(tap.seen(Node::attention_query),
                     product_of(form.turned(LinearRole::query, input), a.query_scale)));
  EXPECT_TRUE(within(tap.seen(Node::attention_key), form.turned(LinearRole::key, input)));
  EXPECT_TRUE(
      within(tap.seen(Node::attention_value), form.linear(LinearRole::value, exactly(input))));
  AttentionOptions options{.heads = a.heads, .key_value_heads = a.key_value_heads};
  options.causal = a.causal;
  options.window = a.window(form.block.number);
  options.score_cap = a.score_cap;
  const auto probabilities = slow_probabilities(tap.seen(Node::attention_query),
                                                tap.seen(Node::attention_key), mask, options);
  const Matrix& context = tap.seen(Node::attention_output);
  EXPECT_TRUE(within(
      context, slow_weighted(probabilities, tap.seen(Node::attention_value), a.key_value_heads)));
  return form.linear(LinearRole::output, exactly(context));
}

}  // namespace evenkeel::support
