#include "model/forward.h"

#include <utility>
#include <vector>

#include "model/ops.h"
#include "model/rotary.h"
#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

// The residual of a post-LayerNorm block: what its norm gives, a fold undone.
void take_residual(const Norm& norm, const Matrix& normed, MatrixView residual) {
  residual = normed;
  if (norm.residual_scale.size() == 0) return;
  residual.array().rowwise() *= norm.residual_scale.array();
  residual.rowwise() += norm.residual_shift;
}

// The steps of a block, over one sample. Those that return a bool say whether the walk goes on.
class BlockWalk {
 public:
  BlockWalk(const Architecture& architecture, const Block& block, const TokenMask& mask, Tap& tap,
            Workspace& workspace, std::optional<Node> last, std::optional<Matrix> context)
      : architecture_(architecture),
        block_(block),
        mask_(mask),
        tap_(tap),
        space_(workspace),
        last_(last),
        context_(std::move(context)) {}

  bool run(MatrixView hidden) {
    // What attention reads, unless it is known what it gives and nothing else reads that.
    if (!context_ || architecture_.parallel_residual || architecture_.residual_after_norm) {
      read(NormRole::attention_input, hidden, space_.normed);
    }
    if (architecture_.parallel_residual) {
      // Each reader has its own copy, since each node has its own quantizer.
      if (architecture_.has(NormRole::mlp_input)) {
        read(NormRole::mlp_input, hidden, space_.second_normed);
      } else {
        space_.second_normed = space_.normed;
      }
    }
    if (!attention(space_.normed)) return false;
    norm_in_place(NormRole::attention_output, space_.attention_out);
    if (architecture_.parallel_residual) {
      if (!mlp(space_.second_normed)) return false;
      hidden += space_.attention_out + space_.mlp_out;
      return true;
    }
    hidden += space_.attention_out;
    read(NormRole::mlp_input, hidden, space_.normed);
    if (!mlp(space_.normed)) return false;
    norm_in_place(NormRole::mlp_output, space_.mlp_out);
    hidden += space_.mlp_out;
    return true;
  }

 private:
  bool attention(Matrix& x) {
    if (context_) {
      space_.context = std::move(*context_);
    } else if (!heads(x)) {
      return false;
    }
    if (!visit(Node::attention_output, space_.context)) return false;
    project(LinearRole::output, space_.context, space_.attention_out);
    return true;
  }

  bool heads(Matrix& x) {
    if (!visit(Node::attention_input, x)) return false;
    project(LinearRole::query, x, space_.query);
    project(LinearRole::key, x, space_.key);
    project(LinearRole::value, x, space_.value);
    prepare_attention(architecture_, block_, space_.query, space_.key);
    if (!visit(Node::attention_query, space_.query)) return false;
    if (!visit(Node::attention_key, space_.key)) return false;
    if (!visit(Node::attention_value, space_.value)) return false;
    const AttentionOptions options = attention_options(architecture_, block_.number);
    if (last_ == Node::attention_probabilities) {
      show_probabilities(space_.query, space_.key, mask_, options, tap_, space_.attention);
      return false;
    }
    space_.context.resize(x.rows(), architecture_.query_channels());
    attend(space_.query, space_.key, space_.value, mask_, options, &tap_, space_.attention,
           space_.context);
    return true;
  }

  bool mlp(Matrix& x) {
    std::vector<Routing> routing;
    if (architecture_.mixture()) routing = routing_of(architecture_, block_, x);
    if (!visit(Node::mlp_input, x)) return false;
    space_.mlp_out.resize(x.rows(), architecture_.channels);
    if (architecture_.mixture()) return mixture(routing, x);
    products(0, x);
    if (!visit(Node::mlp_hidden, space_.mlp_hidden)) return false;
    project(LinearRole::down, space_.mlp_hidden, space_.mlp_out);
    return true;
  }

  bool mixture(const std::vector<Routing>& routing, const Matrix& x) {
    space_.mlp_out.setZero();
    for (std::size_t e = 0; e < routing.size(); ++e) {
      const auto& [tokens, weights] = routing[e];
      if (tokens.empty()) continue;
      const auto expert = static_cast<Index>(e);
      products(expert, x(tokens, Eigen::all));
      tap_.at(Node::mlp_hidden, space_.mlp_hidden, expert, 0);
      Matrix out(space_.mlp_hidden.rows(), architecture_.channels);
      apply(block_.linear({LinearRole::down, expert}), space_.mlp_hidden, out);
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        space_.mlp_out.row(tokens[i]) += weights[i] * out.row(static_cast<Index>(i));
      }
    }
    return last_ != Node::mlp_hidden;
  }

  // mlp_hidden := act(up x), or act(gate x) * (up x).
  void products(Index expert, const ConstMatrixView& x) {
    project({LinearRole::up, expert}, x, space_.mlp_hidden);
    if (!architecture_.gated()) {
      activate(architecture_.activation, space_.mlp_hidden);
      return;
    }
    project({LinearRole::gate, expert}, x, space_.gate);
    activate(architecture_.activation, space_.gate);
    space_.mlp_hidden.array() *= space_.gate.array();
  }

  // What a sublayer reads: the norm of hidden, or hidden itself where there is none. Where the
  // residual takes what the norm gives, hidden becomes that.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
  void read(NormRole role, MatrixView hidden, Matrix& out) {
    out.resize(hidden.rows(), hidden.cols());
    if (!block_.norm(role).present()) {
      out = hidden;
      return;
    }
    norm(role, hidden, out);
    if (architecture_.residual_after_norm) take_residual(block_.norm(role), out, hidden);
  }

  void norm_in_place(NormRole role, Matrix& x) {
    if (block_.norm(role).present()) norm(role, x, x);
  }

  // NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
  void norm(NormRole role, const ConstMatrixView& x, MatrixView out) {
    normalize(architecture_.norm_kind, x, block_.norm(role).gain, block_.norm(role).bias,
              architecture_.norm_epsilon, out);
  }

  void project(LinearPlace place, const ConstMatrixView& x, Matrix& out) {
    out.resize(x.rows(), architecture_.rows(place.role));
    const Linear& linear = block_.linear(place);
    if (on_codes_) {
      linear.codes->multiply(space_.codes, 0, linear.bias, space_.products, out);
    } else {
      apply(linear, x, out);
    }
  }

  // Afterwards the linears that read the node find its values, or its codes.
  bool visit(Node node, Matrix& values) {
    const ActivationQuantizer* quantizer = tap_.quantizer(node);
    on_codes_ =
        quantizer != nullptr && has_integer_inputs(quantizer->scheme()) && readers_have_codes(node);
    if (on_codes_) {
      tap_.look(node, values, 0);
      space_.codes.assign(values, *quantizer);
    } else {
      tap_.at(node, values, 0, 0);
    }
    return last_ != node;
  }

  bool readers_have_codes(Node node) const {
    // A mixture's experts read some of the tokens; its router, which has no codes, says so too.
    std::size_t readers = 0;
    for (const LinearRole role : all_linears) {
      if (input_of(role) != node) continue;
      for (const Linear& linear : block_.linears[index_of(role)]) {
        if (linear.codes == nullptr) return false;
        ++readers;
      }
    }
    return readers > 0;
  }

  const Architecture& architecture_;
  const Block& block_;
  const TokenMask& mask_;
  Tap& tap_;
  Workspace& space_;
  std::optional<Node> last_;
  std::optional<Matrix> context_;
  bool on_codes_ = false;  // whether what the next linears read is in space_.codes
};

void normalize_heads(const Architecture& architecture, const Norm& norm, MatrixView values) {
  const Index width = architecture.head_channels;
  for (Index first = 0; first < values.cols(); first += width) {
    const Vector gain =
        architecture.norm_by_head ? Vector(norm.gain.segment(first, width)) : norm.gain;
    normalize(architecture.head_norm_kind, values.middleCols(first, width), gain, Vector(),
              architecture.norm_epsilon, values.middleCols(first, width));
  }
}

}  // namespace

void apply(const Linear& linear, const ConstMatrixView& x, MatrixView out) {
  product_transposed(x, linear.weight, out);
  if (linear.bias.size() != 0) out.rowwise() += linear.bias;
}

std::vector<Routing> routing_of(const Architecture& architecture, const Block& block,
                                const ConstMatrixView& x) {
  Matrix scores(x.rows(), architecture.expert_count);
  apply(block.linear(LinearRole::router), x, scores);
  return route(scores, architecture.experts_per_token);
}

AttentionOptions attention_options(const Architecture& architecture, Index number) {
  AttentionOptions options;
  options.heads = architecture.heads;
  options.key_value_heads = architecture.key_value_heads;
  options.causal = architecture.causal;
  options.window = architecture.window(number);
  options.score_cap = architecture.score_cap;
  if (architecture.position_kind == PositionKind::alibi) {
    options.slopes = alibi_slopes(architecture.heads);
  }
  return options;
}

// NOLINTBEGIN(performance-unnecessary-value-param): views, written through
void prepare_attention(const Architecture& architecture, const Block& block, MatrixView query,
                       MatrixView key) {
  // NOLINTEND(performance-unnecessary-value-param)
  if (architecture.has(NormRole::query)) {
    normalize_heads(architecture, block.norm(NormRole::query), query);
    normalize_heads(architecture, block.norm(NormRole::key), key);
  }
  if (architecture.position_kind == PositionKind::rotary) {
    const std::vector<float> frequencies = rotary_frequencies(architecture.rotary);
    rotate(architecture.rotary, frequencies, architecture.head_channels, query);
    rotate(architecture.rotary, frequencies, architecture.head_channels, key);
  }
  query *= architecture.query_scale;
}

Matrix entering_state(const Architecture& architecture, const Block& block,
                      const ConstMatrixView& hidden) {
  const Norm& norm = block.norm(NormRole::attention_input);
  if (!architecture.residual_after_norm || !norm.present()) return hidden;
  Matrix state(hidden.rows(), hidden.cols());
  normalize(architecture.norm_kind, hidden, norm.gain, norm.bias, architecture.norm_epsilon, state);
  take_residual(norm, Matrix(state), state);
  return state;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
void forward(const Architecture& architecture, const Block& block, MatrixView hidden,
             const TokenMask& mask, Tap& tap, Workspace& workspace, std::optional<Node> last,
             std::optional<Matrix> context) {
  BlockWalk(architecture, block, mask, tap, workspace, last, std::move(context)).run(hidden);
}

}  // namespace evenkeel
