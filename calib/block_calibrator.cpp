#include "calib/block_calibrator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "calib/fold_check.h"
#include "calib/node_ranges.h"
#include "io/errors.h"
#include "transforms/fold.h"
#include "transforms/os_plus.h"
#include "transforms/smoothquant.h"

namespace evenkeel {
namespace {

class BlockCalibrator {
 public:
  BlockCalibrator(const Architecture& architecture, const HiddenStream& stream,
                  const BlockOptions& options, Stopwatch& stopwatch, Block block)
      : architecture_(architecture),
        stream_(stream),
        options_(options),
        stopwatch_(stopwatch),
        sites_(options.transform.method == Method::none ? std::vector<Site>{}
                                                        : sites_of(architecture)) {
    result_.folded = std::move(block);
  }

  BlockResult calibrate() {
    stopwatch_.time(Phase::observe, [&] { observe(); });
    result_.quantized = result_.folded;
    for (const Site& site : sites_) {
      stopwatch_.time(Phase::search, [&] { transform(site); });
    }
    stopwatch_.time(Phase::quantize, [&] { quantize(); });
    return std::move(result_);
  }

 private:
  void observe() {
    if (options_.keep) {
      result_.statistics = stream_.observe(architecture_, result_.folded);
    } else if (options_.transform.method == Method::smoothquant) {
      result_.statistics = stream_.observe(architecture_, result_.folded, sites_.back().input);
    }
    for (const Node node : all_nodes) require_finite(node);
  }

  // Dynamic schemes have no range that would notice.
  void require_finite(Node node) const {
    const Vector mean = result_.statistics[index_of(node)].mean();
    for (Index channel = 0; channel < mean.size(); ++channel) {
      if (std::isfinite(mean(channel))) continue;
      throw InputError(
          fmt::format("{}: channel {} has a NaN or infinite activation; check the "
                      "checkpoint's weights",
                      name_of(node), channel));
    }
  }

  void transform(const Site& site) {
    try {
      SiteTransform found = choose(site, scored(site));
      const Block before = result_.folded;
      fold(found.transform, site, result_.folded);
      check_fold(architecture_, site, before, result_.folded, stream_.at(0));
      copy_site(site);
      result_.sites.push_back({site, std::move(found)});
    } catch (const InputError& error) {
      throw InputError(fmt::format("site '{}': {}", site.name, error.what()));
    }
  }

  // The site's inputs over the search samples, as the stream of this scheme brings them: with
  // everything that the block computes before the site quantized already, or in full precision.
  std::vector<Matrix> inputs(const Site& site) {
    const std::size_t count =
        std::min(static_cast<std::size_t>(options_.transform.search_samples), stream_.size());
    if (options_.scheme.propagate == Propagate::full_precision) {
      return stream_.capture(architecture_, result_.folded, {}, site.input, count);
    }
    quantize_weights_before(site.input);
    const NodeQuantizers known = observe_ranges(architecture_, result_.quantized, stream_, count,
                                                options_.batch, options_.scheme, site.input);
    return stream_.capture(architecture_, result_.quantized, known, site.input, count);
  }

  ScoredSite scored(const Site& site) {
    ScoredSite scored;
    scored.inputs = inputs(site);
    scored.objective = site.objective;
    scored.attention = {.heads = architecture_.heads, .causal = true};
    Index rows = 0;
    for (const LinearRole role : site.readers) rows += architecture_.rows(role);
    scored.weight.resize(rows, architecture_.channels);
    if (architecture_.bias) scored.bias.resize(rows);
    rows = 0;
    for (const LinearRole role : site.readers) {
      const Linear& reader = result_.folded.linear(role);
      const Index count = reader.weight.rows();
      scored.weight.middleRows(rows, count) = reader.weight;
      if (architecture_.bias) scored.bias.segment(rows, count) = reader.bias;
      rows += count;
    }
    return scored;
  }

  SiteTransform choose(const Site& site, ScoredSite scored) {
    const TransformOptions& transform = options_.transform;
    if (transform.method == Method::os_plus) {
      return os_plus(std::move(scored), options_.scheme, transform.search, site.can_shift);
    }
    return smoothquant(std::move(scored), result_.statistics[index_of(site.input)].absmax(),
                       options_.scheme, transform.alpha);
  }

  // The quantized block follows the folded one; its weights are quantized as they become final.
  void copy_site(const Site& site) {
    result_.quantized.norm(site.producer) = result_.folded.norm(site.producer);
    for (const LinearRole role : site.readers) {
      result_.quantized.linear(role) = result_.folded.linear(role);
    }
  }

  void quantize_weights_before(Node end) {
    for (const LinearRole role : all_linears) {
      if (index_of(input_of(role)) >= index_of(end)) continue;
      Matrix& weight = result_.quantized.linear(role).weight;
      weight = result_.folded.linear(role).weight;
      fake_quantize_weight(weight, options_.scheme.weights);
    }
  }

  void quantize() {
    for (const LinearRole role : all_linears) {
      const Matrix& weight = result_.folded.linear(role).weight;
      QuantizedWeight codes = quantize_weight(weight, options_.scheme.weights);
      result_.quantized.linear(role).weight = dequantize_weight(codes);
      if (options_.keep) result_.codes.push_back(std::move(codes));
    }
    const bool quantized = options_.scheme.propagate == Propagate::quantized;
    result_.quantizers =
        observe_ranges(architecture_, quantized ? result_.quantized : result_.folded, stream_,
                       stream_.size(), options_.batch, options_.scheme);
  }

  const Architecture& architecture_;
  const HiddenStream& stream_;
  const BlockOptions& options_;
  Stopwatch& stopwatch_;
  std::vector<Site> sites_;
  BlockResult result_;
};

}  // namespace

BlockResult calibrate_block(const Architecture& architecture, Block block,
                            const HiddenStream& stream, const BlockOptions& options,
                            Stopwatch& stopwatch) {
  return BlockCalibrator(architecture, stream, options, stopwatch, std::move(block)).calibrate();
}

void advance_past(const Architecture& architecture, const BlockResult& result, const Scheme& scheme,
                  HiddenStream& stream) {
  if (scheme.propagate == Propagate::quantized) {
    stream.advance(architecture, result.quantized, result.quantizers);
  } else {
    stream.advance(architecture, result.folded, {});
  }
}

}  // namespace evenkeel
