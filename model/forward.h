// One block's forward over one sample, with a tap at every node.
#pragma once

#include <optional>

#include "io/matrix.h"
#include "model/architecture.h"
#include "model/attention.h"
#include "model/block.h"
#include "model/tap.h"

namespace evenkeel {

/// Buffers of a forward; grown as needed and reused. One per thread.
struct Workspace {
  Matrix normed, query, key, value, context, residual, mlp_hidden;
  AttentionScratch attention;
};

/// hidden [tokens, channels] := block(hidden). Calls `tap` at every node in the order of
/// `all_nodes` (query, key and value each after its own product).
/// With `last`, returns right after the tap at that node (for probabilities: after all their
/// pieces) and leaves `hidden` as it was.
void forward(const Architecture& architecture, const Block& block, MatrixView hidden,
             const TokenMask& mask, Tap& tap, Workspace& workspace,
             std::optional<Node> last = std::nullopt);

/// out = x * weight^T + bias. REQUIRES: out [x.rows(), weight.rows()].
void apply(const Linear& linear, const ConstMatrixView& x, MatrixView out);

}  // namespace evenkeel
