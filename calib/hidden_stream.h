// The hidden states of some windows of tokens, moving forward block by block.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "calib/observing_taps.h"
#include "io/encoding.h"
#include "model/forward.h"
#include "model/language_model.h"

namespace evenkeel {

/// One matrix [tokens, channels] a window. Windows are whole, without padding, and may differ in
/// length. Every operation runs over windows in parallel.
class HiddenStream {
 public:
  HiddenStream() = default;
  /// Embeds. Throws: InputError as LanguageModel::embed.
  HiddenStream(const LanguageModel& model, const std::vector<Encoding>& windows);
  HiddenStream(const LanguageModel& model, const std::vector<Tokens>& windows);

  std::size_t size() const { return states_.size(); }
  const Matrix& at(std::size_t window) const { return states_[window]; }
  Matrix& at(std::size_t window) { return states_[window]; }

  /// states := block(states), nodes quantized by `quantizers`.
  void advance(const Architecture& architecture, const Block& block,
               const NodeQuantizers& quantizers);

  /// What `node` is in each of the first `count` windows; of a mixture's mlp.hidden, that of one
  /// expert, with no row where none of the window's tokens was sent to it.
  std::vector<Matrix> capture(const Architecture& architecture, const Block& block,
                              const NodeQuantizers& quantizers, Node node, std::size_t count,
                              Index expert = 0) const;

  /// The same for all windows, in order and one at a time, so that few are in memory.
  void capture_in_order(const Architecture& architecture, const Block& block,
                        const NodeQuantizers& quantizers, Node node, Index expert,
                        const std::function<void(Matrix)>& take) const;

  /// Statistics of every node up to `last` (all when empty).
  NodeStatistics observe(const Architecture& architecture, const Block& block,
                         std::optional<Node> last = std::nullopt) const;

 private:
  std::vector<Matrix> states_;
};

/// Bytes of the states of `windows` windows of `length` tokens.
std::uint64_t hidden_state_bytes(const Architecture& architecture, std::uint64_t windows,
                                 std::uint64_t length);
/// Of these windows.
std::uint64_t hidden_state_bytes(const Architecture& architecture,
                                 const std::vector<Encoding>& windows);

}  // namespace evenkeel
