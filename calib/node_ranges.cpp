#include "calib/node_ranges.h"

#include <vector>

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include "calib/ordered_parallel.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

// Nodes of a stage do not depend on one another's quantization, so that one pass finds them all.
const std::vector<std::vector<Node>>& stages(Propagate propagate) {
  static const std::vector<std::vector<Node>> one_by_one{
      {Node::attention_input},
      {Node::attention_query, Node::attention_key, Node::attention_value},
      {Node::attention_probabilities},
      {Node::attention_output},
      {Node::mlp_input},
      {Node::mlp_hidden}};
  static const std::vector<std::vector<Node>> all_at_once{{all_nodes.begin(), all_nodes.end()}};
  return propagate == Propagate::quantized ? one_by_one : all_at_once;
}

NodeObservers observers_of(const std::vector<Node>& nodes, const Scheme& scheme) {
  NodeObservers observers;
  for (const Node node : nodes) {
    observers[index_of(node)].emplace(scheme_of_node(node, scheme.activations));
  }
  return observers;
}

}  // namespace

TensorScheme scheme_of_node(Node node, const TensorScheme& activations) {
  TensorScheme scheme = activations;
  if (node == Node::attention_probabilities && scheme.granularity == Granularity::per_channel) {
    scheme.granularity = Granularity::per_tensor;
  }
  return scheme;
}

NodeQuantizers observe_ranges(const Architecture& architecture, const Block& block,
                              const HiddenStream& stream, std::size_t count, std::size_t batch,
                              const Scheme& scheme, std::optional<Node> end) {
  const std::size_t stop = end ? index_of(*end) : node_count;
  NodeQuantizers known;
  if (is_dynamic(scheme.activations)) {
    for (std::size_t node = 0; node < stop; ++node) known[node].emplace(scheme.activations);
    return known;
  }
  tbb::enumerable_thread_specific<Workspace> workspaces;
  for (const std::vector<Node>& stage : stages(scheme.propagate)) {
    if (index_of(stage.front()) >= stop) break;
    NodeObservers total = observers_of(stage, scheme);
    make_and_take_in_order(
        count,
        [&](std::size_t i) {
          RangeTap tap(known, observers_of(stage, scheme), static_cast<std::int64_t>(i / batch));
          Matrix hidden = stream.at(i);
          forward(architecture, block, hidden, {}, tap, workspaces.local(), stage.back());
          return std::move(tap.observers());
        },
        [&](std::size_t, NodeObservers part) {
          for (const Node node : stage) total[index_of(node)]->merge(*part[index_of(node)]);
        });
    for (const Node node : stage) {
      if (index_of(node) >= stop) continue;
      try {
        known[index_of(node)].emplace(scheme_of_node(node, scheme.activations),
                                      total[index_of(node)]->finish());
      } catch (const InputError& error) {
        throw InputError(fmt::format("{}: {}", name_of(node), error.what()));
      }
    }
  }
  return known;
}

}  // namespace evenkeel
