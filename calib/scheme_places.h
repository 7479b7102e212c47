// Where a scheme's patterns lead in a model: the one place that says how a node or linear is
// quantized.
//
// A pattern is a name in which * stands for any characters. Names:
//   attention.probabilities           a node of every block (model/node.h)
//   blocks.3.attention.probabilities  the node of one block
// and in `keep` also
//   blocks.3                          a block: all its nodes and linears
//   model.decoder.layers.3.fc1        a linear, as the checkpoint calls its module
// A kept node or linear stays as it is, whatever else names it. Of the `nodes` entries that match a
// node the last one holds, so that the general ones come first; where none does, `activations`.
#pragma once

#include <string>
#include <vector>

#include "model/architecture.h"
#include "model/node.h"
#include "model/stored_linears.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Scheme of a node of a block; 16 bits when it is kept. Probabilities have no channels, so that
/// there `activations` per channel or embedding group are per tensor; token-wise clipping leaves
/// them AvgMinMax, as its authors do. Columns are only left out (outlier_threshold) of inputs of
/// linears: the products of the other nodes have no weights in 16 bits.
TensorScheme scheme_of_node(const Scheme& scheme, Index block, Node node);

/// Whether the linear's weight is quantized: it has a role that is, and is not kept.
bool is_quantized(const Scheme& scheme, Index block, const StoredLinear& linear);

/// The stored linears of a block whose weights are quantized, in their order.
std::vector<StoredLinear> quantized_linears(const Architecture& architecture, const Scheme& scheme,
                                            Index block);

/// The linear's weights and its input's node as a scheme without places. The weights are 16 bits
/// when they are not quantized. No input dimension of a linear that reads what the embedding made
/// stays in 16 bits (proxy_percent).
Scheme scheme_of_linear(const Scheme& scheme, Index block, const StoredLinear& linear);

/// Each pattern that names nothing in the model or has no effect there (what it names is not
/// quantized anyway, or later entries hold), and each node that cannot have the scheme that it
/// would get; or else that nothing is quantized. One line each. Empty when all is well.
std::vector<std::string> place_faults(const Scheme& scheme, const Architecture& architecture);

}  // namespace evenkeel
