// The mixture of experts of a block (Jiang et al. 2024).
#pragma once

#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// The tokens that were sent to one expert, and the weight that its output has for each.
struct Routing {
  std::vector<Index> tokens;
  std::vector<float> weights;
};

/// By expert, from the router's products [tokens, experts]: the `count` largest of each token
/// (of equal ones the first), weighted by their softmax among themselves.
std::vector<Routing> route(const ConstMatrixView& scores, Index count);

}  // namespace evenkeel
