#include "model/forward.h"

#include <cmath>

#include "model/ops.h"
#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

// The steps of a block, over one sample. Each returns false when the walk ends there.
class BlockWalk {
 public:
  BlockWalk(const Architecture& architecture, const Block& block, const TokenMask& mask, Tap& tap,
            Workspace& workspace, std::optional<Node> last)
      : architecture_(architecture),
        block_(block),
        mask_(mask),
        tap_(tap),
        space_(workspace),
        last_(last) {}

  bool attention(const ConstMatrixView& hidden, Matrix& out) {
    norm(NormRole::attention, hidden);
    if (!visit(Node::attention_input, space_.normed)) return false;
    project(LinearRole::query, space_.normed, space_.query);
    space_.query *= 1.0F / std::sqrt(static_cast<float>(architecture_.head_channels()));
    if (!visit(Node::attention_query, space_.query)) return false;
    project(LinearRole::key, space_.normed, space_.key);
    if (!visit(Node::attention_key, space_.key)) return false;
    project(LinearRole::value, space_.normed, space_.value);
    if (!visit(Node::attention_value, space_.value)) return false;
    space_.context.resize(hidden.rows(), hidden.cols());
    attend(space_.query, space_.key, space_.value, mask_,
           {.heads = architecture_.heads, .causal = true}, &tap_, space_.attention, space_.context);
    if (last_ == Node::attention_probabilities) return false;
    if (!visit(Node::attention_output, space_.context)) return false;
    apply(block_.linear(LinearRole::output), space_.context, out);
    return true;
  }

  bool mlp(const ConstMatrixView& hidden, Matrix& out) {
    norm(NormRole::mlp, hidden);
    if (!visit(Node::mlp_input, space_.normed)) return false;
    project(LinearRole::up, space_.normed, space_.mlp_hidden);
    activate(architecture_.activation, space_.mlp_hidden);
    if (!visit(Node::mlp_hidden, space_.mlp_hidden)) return false;
    apply(block_.linear(LinearRole::down), space_.mlp_hidden, out);
    return true;
  }

 private:
  void norm(NormRole role, const ConstMatrixView& x) {
    space_.normed.resize(x.rows(), x.cols());
    layer_norm(x, block_.norm(role).gain, block_.norm(role).bias,
               architecture_.family->norm_epsilon, space_.normed);
  }

  void project(LinearRole role, const ConstMatrixView& x, Matrix& out) {
    out.resize(x.rows(), architecture_.rows(role));
    apply(block_.linear(role), x, out);
  }

  bool visit(Node node, Matrix& values) {
    tap_.at(node, values, 0, 0);
    return last_ != node;
  }

  const Architecture& architecture_;
  const Block& block_;
  const TokenMask& mask_;
  Tap& tap_;
  Workspace& space_;
  std::optional<Node> last_;
};

}  // namespace

void apply(const Linear& linear, const ConstMatrixView& x, MatrixView out) {
  product_transposed(x, linear.weight, out);
  if (linear.bias.size() != 0) out.rowwise() += linear.bias;
}

void forward(const Architecture& architecture, const Block& block, MatrixView hidden,
             const TokenMask& mask, Tap& tap, Workspace& workspace, std::optional<Node> last) {
  BlockWalk walk(architecture, block, mask, tap, workspace, last);
  Matrix& attention_out = workspace.residual;
  attention_out.resize(hidden.rows(), hidden.cols());
  if (!walk.attention(hidden, attention_out)) return;
  attention_out += hidden;
  Matrix& mlp_out = workspace.query;  // free again: attention is over
  mlp_out.resize(hidden.rows(), hidden.cols());
  if (!walk.mlp(attention_out, mlp_out)) return;
  hidden = attention_out + mlp_out;
}

}  // namespace evenkeel
