// Parts of a model that can be quantized alone or left out alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "quantizers/scheme.h"

namespace evenkeel {

enum class PartKind {
  node,    // one node kind of every block: activations
  linear,  // one linear of every block: weights
  site,    // a site of every block: the input node and the weights that read it
  block,   // all nodes and linears of one block
};
std::string_view name_of(PartKind kind);

struct ModelPart {
  PartKind kind = PartKind::node;
  std::string name;
  /// What `scheme.keep` says to leave the part as it is.
  std::vector<std::string> patterns;
};

/// Every part of which `scheme` quantizes something, by kind, then in the model's order.
std::vector<ModelPart> parts_of(const Architecture& architecture, const Scheme& scheme);

/// A scheme that keeps exactly the part, for asking what belongs to it (calib/scheme_places.h).
Scheme keeping(const ModelPart& part);

}  // namespace evenkeel
