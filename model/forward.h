// One block's forward over one sample, with a tap at every node.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "io/matrix.h"
#include "model/architecture.h"
#include "model/attention.h"
#include "model/block.h"
#include "model/experts.h"
#include "model/tap.h"

namespace evenkeel {

/// Buffers of a forward; grown as needed and reused. One per thread.
struct Workspace {
  Matrix normed, second_normed, query, key, value, context, attention_out, mlp_out, gate,
      mlp_hidden;
  AttentionScratch attention;
  ActivationCodes codes;
  IntegerLinear::Buffers products;
};

/// hidden [tokens, channels] := block(hidden). Calls `tap` at every node in the order of
/// `all_nodes` (query, key and value each after its own product). In a mixture of experts,
/// mlp.hidden comes once for each expert that any token was sent to, [its tokens, ffn channels],
/// with the expert's number for a head.
/// With `last`, returns right after the tap at that node (for probabilities: after all their
/// pieces); `hidden` is then not the block's output.
///
/// With `context`, what attention gave for this sample at Node::attention_output before its
/// quantizer, the forward goes on from there: nodes before it are not visited.
void forward(const Architecture& architecture, const Block& block, MatrixView hidden,
             const TokenMask& mask, Tap& tap, Workspace& workspace,
             std::optional<Node> last = std::nullopt, std::optional<Matrix> context = std::nullopt);

/// What a family's papers and programs call the hidden state that enters the block: `hidden`, or,
/// where the residual takes what the norm gives, that norm of it.
Matrix entering_state(const Architecture& architecture, const Block& block,
                      const ConstMatrixView& hidden);

/// out = x * weight^T + bias. REQUIRES: out [x.rows(), weight.rows()].
void apply(const Linear& linear, const ConstMatrixView& x, MatrixView out);

/// Where a mixture's router sends the tokens of x, what the norm before it gives.
std::vector<Routing> routing_of(const Architecture& architecture, const Block& block,
                                const ConstMatrixView& x);

/// What the architecture says of attention, for one block.
AttentionOptions attention_options(const Architecture& architecture, Index number);

/// From the products of query, key and value to what attention takes: norms of heads, positions,
/// the query's scale.
void prepare_attention(const Architecture& architecture, const Block& block, MatrixView query,
                       MatrixView key);

}  // namespace evenkeel
