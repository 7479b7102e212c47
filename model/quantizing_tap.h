// The quantizers of a block's nodes, and the tap that applies them.
#pragma once

#include <array>
#include <optional>

#include "model/node.h"
#include "model/tap.h"
#include "quantizers/activation_quantizer.h"

namespace evenkeel {

/// By index_of(node); an empty place leaves the node in full precision.
using NodeQuantizers = std::array<std::optional<ActivationQuantizer>, node_count>;

/// Fake-quantizes every node that has a quantizer.
class QuantizingTap : public Tap {
 public:
  explicit QuantizingTap(const NodeQuantizers& quantizers) : quantizers_(quantizers) {}
  void at(Node node, MatrixView values, Index head, Index /*first_row*/) override {
    const auto& quantizer = quantizers_[index_of(node)];
    if (quantizer) quantizer->apply(values, head);
  }

 private:
  const NodeQuantizers& quantizers_;
};

}  // namespace evenkeel
