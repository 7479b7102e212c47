#include "calib/block_record.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "calib/run_id.h"
#include "calib/scheme_places.h"

namespace evenkeel {
namespace {

bool is_finite(const Range& range) { return std::isfinite(range.low) && std::isfinite(range.high); }

}  // namespace

BlockRecord record_of(const BlockResult& result) {
  BlockRecord record;
  for (const auto& [site, found] : result.sites) record.sites.push_back({site.name, found});
  for (const Node node : all_nodes) {
    const ChannelStatistics& statistics = result.statistics[index_of(node)];
    NodeRecord& told = record.nodes[index_of(node)];
    told = {.low = statistics.low(),
            .high = statistics.high(),
            .absmax = statistics.absmax(),
            .mean = statistics.mean(),
            .variance = statistics.variance(),
            .ranges = {}};
    if (const auto& quantizer = result.quantizers[index_of(node)]) {
      told.ranges = quantizer->ranges();
    }
  }
  record.clip = result.clip;
  record.untouched_sites = result.untouched_sites;
  record.without_tokens = result.without_tokens;
  record.choices = choices_of(result);
  return record;
}

Index channels_of(Node node, const Architecture& architecture) {
  switch (node) {
    case Node::attention_query:
    case Node::attention_output:
      return architecture.query_channels();
    case Node::attention_key:
    case Node::attention_value:
      return architecture.key_value_channels();
    case Node::mlp_hidden:
      return architecture.ffn_channels;
    case Node::attention_probabilities:
      return architecture.heads;
    default:
      return architecture.channels;
  }
}

std::optional<ActivationQuantizer> quantizer_of(const TensorScheme& scheme,
                                                std::vector<Range> ranges, Index channels) {
  if (is_dynamic(scheme)) return ActivationQuantizer(scheme);
  const Index expected = scheme.granularity == Granularity::per_tensor ? 1 : channels;
  if (static_cast<Index>(ranges.size()) != expected || !std::ranges::all_of(ranges, is_finite)) {
    return std::nullopt;
  }
  return ActivationQuantizer(scheme, std::move(ranges));
}

std::optional<NodeQuantizers> quantizers_of(const BlockRecord& record, Index number,
                                            const Architecture& architecture,
                                            const Scheme& scheme) {
  NodeQuantizers quantizers;
  for (const Node node : all_nodes) {
    const std::size_t i = index_of(node);
    quantizers[i] = quantizer_of(scheme_of_node(scheme, number, node), record.nodes[i].ranges,
                                 channels_of(node, architecture));
    if (!quantizers[i]) return std::nullopt;
  }
  return quantizers;
}

}  // namespace evenkeel
