// Static ranges of a block's nodes, found in the order in which the block computes them.
#pragma once

#include <cstddef>
#include <optional>

#include "calib/hidden_stream.h"
#include "model/quantizing_tap.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Quantizers of the nodes before `end` (all when empty), static ranges observed over the first
/// `count` windows, `batch` windows a batch. Under Propagate::quantized, each node is observed with
/// the nodes before it quantized by their final ranges: quantized so far, as the published OS+
/// program does (which uses the running ranges of the batches seen until then). Under
/// full_precision no node is quantized while observing. Windows are run again for each pass that an
/// estimator wants; `contexts`, if not null, are left holding what attention gives for each of them
/// (HiddenStream), where that was reached. Throws: InputError naming the node when an
/// activation is NaN or infinite, or negative where its codes cannot be.
NodeQuantizers observe_ranges(const Architecture& architecture, const Block& block,
                              const HiddenStream& stream, std::size_t count, std::size_t batch,
                              const Scheme& scheme, std::optional<Node> end = std::nullopt,
                              HiddenStore* contexts = nullptr);

}  // namespace evenkeel
