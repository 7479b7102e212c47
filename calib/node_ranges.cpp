#include "calib/node_ranges.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include "calib/ordered_parallel.h"
#include "calib/scheme_places.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

using NodeSchemes = std::array<TensorScheme, node_count>;

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

// Of those nodes whose ranges have to be observed; dynamic ones find theirs anew each time.
NodeObservers observers_of(const std::vector<Node>& nodes, const NodeSchemes& schemes) {
  NodeObservers observers;
  for (const Node node : nodes) {
    const TensorScheme& scheme = schemes[index_of(node)];
    if (!is_dynamic(scheme)) observers[index_of(node)].emplace(scheme);
  }
  return observers;
}

// Which observers want another pass.
using Unfinished = std::array<bool, node_count>;

NodeObservers parts_of(const NodeObservers& observers, const Unfinished& unfinished) {
  NodeObservers parts;
  for (std::size_t i = 0; i < node_count; ++i) {
    if (unfinished[i]) parts[i].emplace(observers[i]->part());
  }
  return parts;
}

bool end_pass(Node node, RangeObserver& observer) {
  try {
    return observer.end_pass();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", name_of(node), error.what()));
  }
}

}  // namespace

NodeQuantizers observe_ranges(const Architecture& architecture, const Block& block,
                              const HiddenStream& stream, std::size_t count, std::size_t batch,
                              const Scheme& scheme, std::optional<Node> end,
                              HiddenStore* contexts) {
  const std::size_t stop = end ? index_of(*end) : node_count;
  NodeSchemes schemes;
  for (const Node node : all_nodes) {
    schemes[index_of(node)] = scheme_of_node(scheme, block.number, node);
  }
  NodeQuantizers known;
  // Attention is the same in every pass after the one that finds what it gives.
  HiddenStore own;
  if (contexts == nullptr) contexts = &own;
  tbb::enumerable_thread_specific<Workspace> workspaces;
  for (const std::vector<Node>& stage : stages(scheme.propagate)) {
    if (index_of(stage.front()) >= stop) break;
    NodeObservers total = observers_of(stage, schemes);
    Unfinished unfinished{};
    for (std::size_t i = 0; i < node_count; ++i) unfinished[i] = total[i].has_value();
    const bool reaches = std::ranges::find(stage, Node::attention_output) != stage.end();
    const auto any = [&] { return std::ranges::find(unfinished, true) != unfinished.end(); };
    HiddenStore reached;
    // In full precision there is one stage, and what comes after passes another block.
    if (reaches && any() && scheme.propagate == Propagate::quantized) {
      reached = stream.beside(count, architecture.query_channels());
    }
    while (any()) {
      make_and_take_in_order(
          count,
          [&](std::size_t i) {
            Matrix context;
            RangeTap tap(known, parts_of(total, unfinished), static_cast<std::int64_t>(i / batch),
                         reached.size() > 0 ? &context : nullptr);
            Matrix hidden = stream.at(i);
            forward(architecture, block, hidden, {}, tap, workspaces.local(), stage.back(),
                    loaded(contexts, i));
            if (reached.size() > 0) reached.store(i, std::move(context));
            return std::move(tap.observers());
          },
          [&](std::size_t, NodeObservers parts) {
            for (std::size_t i = 0; i < node_count; ++i) {
              if (parts[i]) total[i]->merge(*parts[i]);
            }
          });
      for (const Node node : stage) {
        bool& wanted = unfinished[index_of(node)];
        if (wanted) wanted = end_pass(node, *total[index_of(node)]);
      }
    }
    if (reached.size() > 0) *contexts = std::move(reached);
    for (const Node node : stage) {
      const std::size_t i = index_of(node);
      if (i >= stop) continue;
      known[i] = total[i] ? ActivationQuantizer(schemes[i], total[i]->finish())
                          : ActivationQuantizer(schemes[i]);
    }
  }
  return known;
}

}  // namespace evenkeel
