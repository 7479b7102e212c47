#include "calib/analysis/set_summary.h"

namespace evenkeel {

void SetSummary::add_block(const BlockObservation& observation) {
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const ChannelMoments& moments = observation.nodes[index_of(node)].moments;
    NodeSummary& summary = nodes[index_of(node)];
    summary.low.push_back(moments.statistics().low());
    summary.high.push_back(moments.statistics().high());
    summary.mean.push_back(moments.statistics().mean());
    summary.counts.add_block(moments);
  }
}

}  // namespace evenkeel
