// What an analysis keeps of a set from block to block: a few figures a channel, for what is said
// about all blocks together.
#pragma once

#include <array>
#include <vector>

#include "calib/analysis/block_observation.h"
#include "calib/analysis/outlier_rule.h"
#include "io/matrix.h"
#include "model/node.h"

namespace evenkeel {

/// Of one node, by block.
struct NodeSummary {
  std::vector<Vector> low, high, mean;  // [channels] each
  OutlierCounts counts;
};

/// By index_of(node); nothing for nodes that are not analyzed.
struct SetSummary {
  std::array<NodeSummary, node_count> nodes;

  void add_block(const BlockObservation& observation);
};

}  // namespace evenkeel
