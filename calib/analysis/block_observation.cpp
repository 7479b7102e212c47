#include "calib/analysis/block_observation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include "calib/ordered_parallel.h"
#include "io/errors.h"
#include "model/tap.h"
#include "quantizers/affine.h"

namespace evenkeel {
namespace {

using Workspaces = tbb::enumerable_thread_specific<Workspace>;

// What is the same for all samples of a set.
struct Lens {
  const AnalysisOptions& options;
  const HistogramWidths& widths;
  float absmax;  // of quantized_node
};

class AnalysisTap final : public Tap {
 public:
  explicit AnalysisTap(const Lens& lens) : lens_(lens) {}

  Visit visit(Node node) const override { return is_analyzed(node) ? Visit::looks : Visit::none; }

  void at(Node node, MatrixView values, Index /*head*/, Index /*first_row*/) override {
    if (!is_analyzed(node)) return;
    NodeObservation& seen = observation_.nodes[index_of(node)];
    seen.moments.observe(values, lens_.options.outlier_threshold);
    if (node == quantized_node) {
      observation_.tokens.observe(values, lens_.absmax, lens_.options.bits);
    }
    if (!has_histogram(node)) return;
    if (!seen.histogram) {
      seen.histogram.emplace(lens_.widths[index_of(node)], lens_.options.histogram_bins);
    }
    for (Index row = 0; row < values.rows(); ++row) seen.histogram->observe(row_of(values, row));
  }

  BlockObservation& observation() { return observation_; }

 private:
  const Lens& lens_;
  BlockObservation observation_;
};

// Largest magnitude of quantized_node over all windows.
float absmax_of(const Architecture& architecture, const Block& block, const HiddenStream& stream) {
  Workspaces workspaces;
  const NodeQuantizers none;
  float absmax = 0.0F;
  make_and_take_in_order(
      stream.size(),
      [&](std::size_t i) {
        CaptureTap tap(none, quantized_node, 0);
        Matrix hidden = stream.at(i);
        forward(architecture, block, hidden, {}, tap, workspaces.local(), quantized_node);
        const Range range = range_of_matrix(tap.captured());
        return std::max(-range.low, range.high);
      },
      [&](std::size_t, float part) { absmax = std::max(absmax, part); });
  return absmax;
}

void require_finite(const BlockObservation& observation) {
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const ChannelStatistics& statistics = observation.nodes[index_of(node)].moments.statistics();
    for (Index channel = 0; channel < statistics.counts().size(); ++channel) {
      if (std::isfinite(statistics.exact_mean()(channel))) continue;
      throw InputError(
          fmt::format("{}: channel {} has a NaN or infinite activation; check the checkpoint's "
                      "weights",
                      name_of(node), channel));
    }
  }
}

double root_mean_square(const Matrix& values) {
  const double sum = values.cast<double>().squaredNorm();
  return values.size() > 0 ? std::sqrt(sum / static_cast<double>(values.size())) : 0.0;
}

}  // namespace

bool is_analyzed(Node node) { return node != Node::attention_probabilities; }

bool has_histogram(Node node) { return node == Node::attention_output || node == Node::mlp_hidden; }

void BlockObservation::merge(const BlockObservation& other) {
  for (std::size_t i = 0; i < node_count; ++i) {
    nodes[i].moments.merge(other.nodes[i].moments);
    if (!other.nodes[i].histogram) continue;
    if (nodes[i].histogram) {
      nodes[i].histogram->merge(*other.nodes[i].histogram);
    } else {
      nodes[i].histogram = other.nodes[i].histogram;
    }
  }
  tokens.merge(other.tokens);
}

HistogramWidths histogram_widths(const Architecture& architecture, const Block& block,
                                 const HiddenStream& stream, const AnalysisOptions& options) {
  constexpr double deviations = 4.0;
  HistogramWidths widths{};
  for (const Node node : all_nodes) {
    if (!has_histogram(node)) continue;
    double& width = widths[index_of(node)];
    if (options.histogram_range) {
      width = *options.histogram_range;
      continue;
    }
    // Of a mixture, what its first expert reads; nothing where that has no token.
    width = deviations * root_mean_square(stream.capture(architecture, block, {}, node, 1).front());
    // What is not finite is said once all nodes are seen.
    if (!(width > 0.0) || !std::isfinite(width)) width = 1.0;
  }
  return widths;
}

BlockObservation observe_and_advance(const Architecture& architecture, const Block& block,
                                     HiddenStream& stream, const AnalysisOptions& options,
                                     const HistogramWidths& widths) {
  const Lens lens{options, widths, absmax_of(architecture, block, stream)};
  Workspaces workspaces;
  BlockObservation total;
  make_and_take_in_order(
      stream.size(),
      [&](std::size_t i) {
        AnalysisTap tap(lens);
        stream.change(i, [&](Matrix& hidden) {
          forward(architecture, block, hidden, {}, tap, workspaces.local());
        });
        return std::move(tap.observation());
      },
      [&](std::size_t, const BlockObservation& part) { total.merge(part); });
  require_finite(total);
  return total;
}

}  // namespace evenkeel
