// The weights of a block as the scheme rounds them, node by node in the order in which the block
// computes them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calib/hidden_stream.h"
#include "calib/kept_columns.h"
#include "model/stored_linears.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// Quantizes each stored linear once, and again after it has changed. GPTQ weighs errors by the
/// linear's inputs over all of the stream: with the weights and nodes before it quantized already
/// and the inputs themselves as the scheme has them, or in full precision, as `scheme.propagate`
/// says; an expert's by its own tokens. Only one Hessian is in memory at a time.
class BlockWeights {
 public:
  /// All references must outlive this. `kept` gives the columns of a linear that stay in 16 bits;
  /// it may be empty when the scheme keeps none.
  BlockWeights(const Architecture& architecture, Index number, const HiddenStream& stream,
               const Scheme& scheme, std::size_t batch, bool keep, bool clip = false,
               KeptColumns kept = {});

  /// Gives `quantized` the rounded weights of `folded`: those that read a node before `end` (all
  /// when empty) and are new or have changed.
  /// Throws: InputError naming the node when GPTQ's inputs are not finite.
  void quantize(const Block& folded, Block& quantized, std::optional<Node> end = std::nullopt);
  /// The linear at `place` is another one now.
  void changed(LinearPlace place);
  /// Whether the scheme quantizes at least one of them.
  bool quantizes_any(const std::vector<LinearPlace>& places) const;

  /// By `stored_linears`, empty for those that are not quantized; nothing unless kept. To be called
  /// once.
  std::vector<QuantizedWeight> take_codes() { return std::move(codes_); }
  /// Linears of experts to which no token was sent: GPTQ rounds them to the nearest.
  const std::vector<std::string>& without_tokens() const { return without_tokens_; }

 private:
  // Linears that read the same values, by their places in stored_.
  using Readers = std::vector<std::size_t>;
  bool quantizes(const StoredLinear& stored) const;
  std::vector<Readers> pending(Node node) const;
  std::optional<Index> expert_of(const StoredLinear& stored) const;
  void quantize_readers(Node node, const Readers& readers, const NodeQuantizers& known,
                        const Block& folded, Block& quantized);
  std::vector<QuantizedWeight> rounded(Node node, const Readers& readers,
                                       const NodeQuantizers& known, const Block& folded,
                                       const Block& quantized);
  bool reads_inputs() const { return clip_ || scheme_.weights.rounding == Rounding::gptq; }
  Index visit_inputs(Node node, std::optional<Index> expert, const NodeQuantizers& known,
                     const Block& folded, const Block& quantized,
                     const std::function<void(const Matrix&)>& take) const;
  NodeQuantizers quantizers_through(Node node, const Block& quantized) const;

  const Architecture& architecture_;
  Index number_;
  const HiddenStream& stream_;
  const Scheme& scheme_;
  std::size_t batch_;
  bool keep_;
  bool clip_;
  KeptColumns kept_;
  std::vector<StoredLinear> stored_;
  std::vector<bool> done_;  // by stored_
  std::vector<QuantizedWeight> codes_;
  std::vector<std::string> without_tokens_;
};

}  // namespace evenkeel
