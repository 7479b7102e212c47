#include "calib/hidden_stream.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include "calib/ordered_parallel.h"

namespace evenkeel {
namespace {

const TokenMask no_padding;

using Workspaces = tbb::enumerable_thread_specific<Workspace>;

Matrix captured_at(const Architecture& architecture, const Block& block,
                   const NodeQuantizers& quantizers, Node node, Index expert, Matrix hidden,
                   Workspace& workspace) {
  CaptureTap tap(quantizers, node, expert);
  forward(architecture, block, hidden, no_padding, tap, workspace, node);
  return std::move(tap.captured());
}

}  // namespace

HiddenStream::HiddenStream(const LanguageModel& model, const std::vector<Encoding>& windows)
    : states_(windows.size()) {
  tbb::parallel_for(std::size_t{0}, windows.size(), [&](std::size_t i) {
    states_[i] = model.embed(windows[i].ids, no_padding, windows[i].types);
  });
}

HiddenStream::HiddenStream(const LanguageModel& model, const std::vector<Tokens>& windows)
    : HiddenStream(model, without_types(windows)) {}

void HiddenStream::advance(const Architecture& architecture, const Block& block,
                           const NodeQuantizers& quantizers) {
  Workspaces workspaces;
  tbb::parallel_for(std::size_t{0}, states_.size(), [&](std::size_t i) {
    QuantizingTap tap(quantizers);
    forward(architecture, block, states_[i], no_padding, tap, workspaces.local());
  });
}

std::vector<Matrix> HiddenStream::capture(const Architecture& architecture, const Block& block,
                                          const NodeQuantizers& quantizers, Node node,
                                          std::size_t count, Index expert) const {
  Workspaces workspaces;
  std::vector<Matrix> captured(count);
  tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
    captured[i] =
        captured_at(architecture, block, quantizers, node, expert, states_[i], workspaces.local());
  });
  return captured;
}

void HiddenStream::capture_in_order(const Architecture& architecture, const Block& block,
                                    const NodeQuantizers& quantizers, Node node, Index expert,
                                    const std::function<void(Matrix)>& take) const {
  Workspaces workspaces;
  make_and_take_in_order(
      states_.size(),
      [&](std::size_t i) {
        return captured_at(architecture, block, quantizers, node, expert, states_[i],
                           workspaces.local());
      },
      [&](std::size_t, Matrix captured) { take(std::move(captured)); });
}

NodeStatistics HiddenStream::observe(const Architecture& architecture, const Block& block,
                                     std::optional<Node> last) const {
  Workspaces workspaces;
  NodeStatistics total;
  make_and_take_in_order(
      states_.size(),
      [&](std::size_t i) {
        StatisticsTap tap(architecture, block.number);
        Matrix hidden = states_[i];
        forward(architecture, block, hidden, no_padding, tap, workspaces.local(), last);
        return std::move(tap.statistics());
      },
      [&](std::size_t, NodeStatistics part) {
        for (std::size_t node = 0; node < node_count; ++node) total[node].merge(part[node]);
      });
  return total;
}

std::uint64_t hidden_state_bytes(const Architecture& architecture, std::uint64_t windows,
                                 std::uint64_t length) {
  return windows * length * static_cast<std::uint64_t>(architecture.channels) * sizeof(float);
}

std::uint64_t hidden_state_bytes(const Architecture& architecture,
                                 const std::vector<Encoding>& windows) {
  std::uint64_t tokens = 0;
  for (const Encoding& window : windows) tokens += window.ids.size();
  return hidden_state_bytes(architecture, 1, tokens);
}

}  // namespace evenkeel
