// The hidden states of some windows of tokens, moving forward block by block.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "calib/hidden_store.h"
#include "calib/observing_taps.h"
#include "io/encoding.h"
#include "model/forward.h"
#include "model/language_model.h"

namespace evenkeel {

/// One matrix [tokens, channels] a window. Windows are whole, without padding, and may differ in
/// length. Every operation runs over windows in parallel. Whatever `memory` leaves no room for is
/// in its file (calib/hidden_store.h); results are the same. Each operation throws MachineError
/// when that file cannot be written or read.
class HiddenStream {
 public:
  HiddenStream() = default;
  /// Embeds. Without `memory`, which must outlive this, all windows stay in memory.
  /// Throws: InputError as LanguageModel::embed.
  HiddenStream(const LanguageModel& model, const std::vector<Encoding>& windows,
               HiddenMemory* memory = nullptr);
  HiddenStream(const LanguageModel& model, const std::vector<Tokens>& windows,
               HiddenMemory* memory = nullptr);

  std::size_t size() const { return states_.size(); }
  /// A copy.
  Matrix at(std::size_t window) const { return states_.load(window); }
  void change(std::size_t window, const std::function<void(Matrix&)>& change) {
    states_.change(window, change);
  }

  /// Room for a matrix [tokens, columns] of each of the first `count` windows, under the stream's
  /// limit of memory.
  HiddenStore beside(std::size_t count, Index columns) const {
    return states_.beside(count, columns);
  }

  /// states := block(states), nodes quantized by `quantizers`. Here and below, `contexts` are what
  /// attention gives for each window (forward.h), where they are known; nullptr or empty: computed.
  void advance(const Architecture& architecture, const Block& block,
               const NodeQuantizers& quantizers, const HiddenStore* contexts = nullptr);

  /// What `node` is in each of the first `count` windows; of a mixture's mlp.hidden, that of one
  /// expert, with no row where none of the window's tokens was sent to it.
  std::vector<Matrix> capture(const Architecture& architecture, const Block& block,
                              const NodeQuantizers& quantizers, Node node, std::size_t count,
                              Index expert = 0, const HiddenStore* contexts = nullptr) const;

  /// The same for all windows, in order and one at a time, so that few are in memory.
  void capture_in_order(const Architecture& architecture, const Block& block,
                        const NodeQuantizers& quantizers, Node node, Index expert,
                        const std::function<void(Matrix)>& take) const;

  /// Statistics of every node up to `last` (all when empty). `contexts`, if not null, gets what
  /// attention gives for as many windows, from the first on, as it has places.
  NodeStatistics observe(const Architecture& architecture, const Block& block,
                         std::optional<Node> last = std::nullopt,
                         std::vector<Matrix>* contexts = nullptr) const;

 private:
  HiddenStore states_;
};

/// What `contexts` hold for a window; nothing when there are none.
std::optional<Matrix> loaded(const HiddenStore* contexts, std::size_t window);

}  // namespace evenkeel
