#include "model/node.h"

#include <algorithm>

namespace evenkeel {
namespace {

constexpr std::array<std::string_view, node_count> names{
    "attention.input",         "attention.query",  "attention.key", "attention.value",
    "attention.probabilities", "attention.output", "mlp.input",     "mlp.hidden"};

}  // namespace

std::string_view name_of(Node node) { return names.at(index_of(node)); }

std::optional<Node> node_named(std::string_view name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return all_nodes.at(static_cast<std::size_t>(found - names.begin()));
}

}  // namespace evenkeel
