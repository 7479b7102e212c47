#include "calib/clip_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tbb/enumerable_thread_specific.h>

#include "calib/node_ranges.h"
#include "calib/ordered_parallel.h"
#include "calib/scheme_places.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr double step = 0.005;

// By the fewest bits of the nodes that are searched.
int candidates_of(const Scheme& scheme, Index block) {
  int bits = unquantized_bits;
  for (const Node node : all_nodes) {
    const TensorScheme own = scheme_of_node(scheme, block, node);
    if (searches_clip(own)) bits = std::min(bits, own.bits);
  }
  const double most = bits >= 8 ? 0.1 : bits >= 6 ? 0.3 : 0.9;
  return static_cast<int>(std::lround(most / step));
}

class Outputs {
 public:
  Outputs(const Architecture& architecture, const Block& full, const HiddenStream& stream,
          std::size_t count)
      : architecture_(architecture), stream_(stream), expected_(count) {
    const NodeQuantizers none;
    make_and_take_in_order(
        count, [&](std::size_t i) { return output(full, none, i); },
        [&](std::size_t i, Matrix out) { expected_[i] = std::move(out); });
  }

  // In window order, so that threads make no difference.
  double squared_error(const Block& block, const NodeQuantizers& quantizers) {
    double sum = 0.0;
    make_and_take_in_order(
        expected_.size(),
        [&](std::size_t i) {
          return (output(block, quantizers, i).cast<double>() - expected_[i].cast<double>())
              .squaredNorm();
        },
        [&](std::size_t, double error) { sum += error; });
    return sum;
  }

 private:
  Matrix output(const Block& block, const NodeQuantizers& quantizers, std::size_t window) {
    Matrix hidden = stream_.at(window);
    QuantizingTap tap(quantizers);
    forward(architecture_, block, hidden, {}, tap, workspaces_.local());
    return hidden;
  }

  const Architecture& architecture_;
  const HiddenStream& stream_;
  std::vector<Matrix> expected_;
  tbb::enumerable_thread_specific<Workspace> workspaces_;
};

}  // namespace

bool searches_clip(const TensorScheme& activations) {
  return !is_dynamic(activations) && activations.range == RangeEstimator::token_wise_clipping &&
         !activations.clip;
}

bool searches_clip(const Scheme& scheme) {
  return searches_clip(scheme.activations) ||
         std::ranges::any_of(scheme.nodes,
                             [](const auto& node) { return searches_clip(node.scheme); });
}

bool searches_clip(const Scheme& scheme, Index block) {
  return std::ranges::any_of(
      all_nodes, [&](Node node) { return searches_clip(scheme_of_node(scheme, block, node)); });
}

Scheme with_clip(Scheme scheme, double clip) {
  if (searches_clip(scheme.activations)) scheme.activations.clip = clip;
  for (NodeScheme& node : scheme.nodes) {
    if (searches_clip(node.scheme)) node.scheme.clip = clip;
  }
  return scheme;
}

double search_clip(const Architecture& architecture, const Block& full, const Block& quantized,
                   const HiddenStream& stream, std::size_t count, std::size_t batch,
                   const Scheme& scheme) {
  Scheme observed = scheme;
  observed.propagate = Propagate::full_precision;
  Outputs outputs(architecture, full, stream, count);
  double best = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < candidates_of(scheme, full.number); ++i) {
    const double clip = step * i;
    const NodeQuantizers quantizers =
        observe_ranges(architecture, quantized, stream, count, batch, with_clip(observed, clip));
    const double error = outputs.squared_error(quantized, quantizers);
    if (!(error < least)) continue;  // nor when it is NaN
    best = clip;
    least = error;
  }
  if (!std::isfinite(least)) {
    throw InputError(
        "clip: search: no fraction leaves the block a finite output; check the checkpoint's "
        "weights, or give a fraction");
  }
  return best;
}

}  // namespace evenkeel
