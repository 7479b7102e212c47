#include "calib/hidden_stream.h"

#include <tbb/enumerable_thread_specific.h>

#include "calib/ordered_parallel.h"

namespace evenkeel {
namespace {

const TokenMask no_padding;

using Workspaces = tbb::enumerable_thread_specific<Workspace>;

Matrix captured_at(const Architecture& architecture, const Block& block,
                   const NodeQuantizers& quantizers, Node node, Index expert, Matrix hidden,
                   Workspace& workspace, std::optional<Matrix> context = std::nullopt) {
  CaptureTap tap(quantizers, node, expert);
  forward(architecture, block, hidden, no_padding, tap, workspace, node, std::move(context));
  return std::move(tap.captured());
}

std::vector<Index> lengths_of(const std::vector<Encoding>& windows) {
  std::vector<Index> lengths;
  lengths.reserve(windows.size());
  for (const Encoding& window : windows) lengths.push_back(static_cast<Index>(window.ids.size()));
  return lengths;
}

}  // namespace

std::optional<Matrix> loaded(const HiddenStore* contexts, std::size_t window) {
  if (contexts == nullptr || contexts->size() == 0) return std::nullopt;
  return contexts->load(window);
}

HiddenStream::HiddenStream(const LanguageModel& model, const std::vector<Encoding>& windows,
                           HiddenMemory* memory)
    : states_(lengths_of(windows), model.architecture().channels, memory) {
  begin_in_order(windows.size(), [&](std::size_t i) {
    states_.store(i, model.embed(windows[i].ids, no_padding, windows[i].types));
  });
  model.release_embeddings();
}

HiddenStream::HiddenStream(const LanguageModel& model, const std::vector<Tokens>& windows,
                           HiddenMemory* memory)
    : HiddenStream(model, without_types(windows), memory) {}

void HiddenStream::advance(const Architecture& architecture, const Block& block,
                           const NodeQuantizers& quantizers, const HiddenStore* contexts) {
  Workspaces workspaces;
  begin_in_order(size(), [&](std::size_t i) {
    std::optional<Matrix> context = loaded(contexts, i);
    states_.change(i, [&](Matrix& hidden) {
      QuantizingTap tap(quantizers);
      forward(architecture, block, hidden, no_padding, tap, workspaces.local(), std::nullopt,
              std::move(context));
    });
  });
}

std::vector<Matrix> HiddenStream::capture(const Architecture& architecture, const Block& block,
                                          const NodeQuantizers& quantizers, Node node,
                                          std::size_t count, Index expert,
                                          const HiddenStore* contexts) const {
  Workspaces workspaces;
  std::vector<Matrix> captured(count);
  begin_in_order(count, [&](std::size_t i) {
    captured[i] = captured_at(architecture, block, quantizers, node, expert, at(i),
                              workspaces.local(), loaded(contexts, i));
  });
  return captured;
}

void HiddenStream::capture_in_order(const Architecture& architecture, const Block& block,
                                    const NodeQuantizers& quantizers, Node node, Index expert,
                                    const std::function<void(Matrix)>& take) const {
  Workspaces workspaces;
  make_and_take_in_order(
      size(),
      [&](std::size_t i) {
        return captured_at(architecture, block, quantizers, node, expert, at(i),
                           workspaces.local());
      },
      [&](std::size_t, Matrix captured) { take(std::move(captured)); });
}

NodeStatistics HiddenStream::observe(const Architecture& architecture, const Block& block,
                                     std::optional<Node> last,
                                     std::vector<Matrix>* contexts) const {
  Workspaces workspaces;
  NodeStatistics total;
  make_and_take_in_order(
      size(),
      [&](std::size_t i) {
        const bool kept = contexts != nullptr && i < contexts->size();
        StatisticsTap tap(architecture, block.number, kept ? &(*contexts)[i] : nullptr);
        Matrix hidden = at(i);
        forward(architecture, block, hidden, no_padding, tap, workspaces.local(), last);
        return std::move(tap.statistics());
      },
      [&](std::size_t, NodeStatistics part) {
        for (std::size_t node = 0; node < node_count; ++node) total[node].merge(part[node]);
      });
  return total;
}

}  // namespace evenkeel
