// Sites: where shift and scale can move in a block.
#pragma once

#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/node.h"

namespace evenkeel {

/// What a candidate's error is measured in.
enum class Objective {
  attention,  // the attention output before the output projection (OS+ Eq. 7)
  linear,     // the readers' products, without bias (OS+ Eq. 6)
};
std::string_view name_of(Objective value);

/// A producer, the linears that read it, and the objective that scores it.
struct Site {
  std::string_view name;  // within its block: "attention", "mlp"
  NormRole producer;
  Node input;  // the node between producer and readers
  std::vector<LinearRole> readers;
  Objective objective;
  bool can_shift;  // the producer and every reader have a bias
};

/// The sites of each block, in the order in which the block computes their inputs.
std::vector<Site> sites_of(const Architecture& architecture);

}  // namespace evenkeel
