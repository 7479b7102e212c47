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

/// Looks at every node, and fake-quantizes those that have a quantizer.
class QuantizingTap : public Tap {
 public:
  explicit QuantizingTap(const NodeQuantizers& quantizers) : quantizers_(quantizers) {}
  void at(Node node, MatrixView values, Index head, Index /*first_row*/) final {
    look(node, values, head);
    if (const ActivationQuantizer* known = quantizer(node)) known->apply(values, head);
  }
  const ActivationQuantizer* quantizer(Node node) const final {
    const auto& known = quantizers_[index_of(node)];
    return known ? &*known : nullptr;
  }
  Visit visit(Node node) const final {
    const ActivationQuantizer* known = quantizer(node);
    if (known != nullptr && is_quantized(known->scheme())) return Visit::may_change;
    return looks_at(node) ? Visit::looks : Visit::none;
  }

 protected:
  /// True where `look` does something.
  virtual bool looks_at(Node /*node*/) const { return false; }

 private:
  const NodeQuantizers& quantizers_;
};

}  // namespace evenkeel
