// Taps that look: per-channel statistics, ranges for static quantizers, and captured inputs.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "calib/channel_statistics.h"
#include "model/architecture.h"
#include "model/forward.h"
#include "model/quantizing_tap.h"
#include "model/tap.h"
#include "quantizers/range_observer.h"

namespace evenkeel {

/// By index_of(node). Probabilities have heads for channels, and count only the keys that each
/// query may see.
using NodeStatistics = std::array<ChannelStatistics, node_count>;

class StatisticsTap final : public Tap {
 public:
  /// `context`, if not null, gets what attention gives.
  StatisticsTap(const Architecture& architecture, Index number, Matrix* context = nullptr)
      : attention_(attention_options(architecture, number)), context_(context) {}
  void at(Node node, MatrixView values, Index head, Index first_row) override;
  Visit visit(Node /*node*/) const override { return Visit::looks; }
  NodeStatistics& statistics() { return statistics_; }

 private:
  AttentionOptions attention_;
  Matrix* context_;
  NodeStatistics statistics_;
};

/// By index_of(node); empty where the node is not observed.
using NodeObservers = std::array<std::optional<RangeObserver>, node_count>;

/// Applies the quantizers that are known and observes the nodes that have an observer.
class RangeTap final : public QuantizingTap {
 public:
  /// `keep`, if not null, gets what attention gives before its quantizer.
  RangeTap(const NodeQuantizers& known, NodeObservers observers, std::int64_t batch,
           Matrix* keep = nullptr)
      : QuantizingTap(known), observers_(std::move(observers)), batch_(batch), keep_(keep) {}
  void look(Node node, const ConstMatrixView& values, Index head) override;
  NodeObservers& observers() { return observers_; }

 protected:
  bool looks_at(Node node) const override;

 private:
  NodeObservers observers_;
  std::int64_t batch_;
  Matrix* keep_;
};

/// Applies quantizers and keeps a copy of one node (of one expert, where the node is an expert's)
/// as it was before its own quantizer.
class CaptureTap final : public QuantizingTap {
 public:
  CaptureTap(const NodeQuantizers& known, Node wanted, Index expert)
      : QuantizingTap(known), wanted_(wanted), expert_(expert) {}
  void look(Node node, const ConstMatrixView& values, Index head) override;
  Matrix& captured() { return captured_; }

 protected:
  bool looks_at(Node node) const override { return node == wanted_; }

 private:
  Node wanted_;
  Index expert_;
  Matrix captured_;  // empty: the node was not there, as no token was sent to the expert
};

}  // namespace evenkeel
