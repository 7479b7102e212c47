#include "calib/block_calibrator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "calib/block_weights.h"
#include "calib/clip_search.h"
#include "calib/fold_check.h"
#include "calib/node_ranges.h"
#include "calib/scheme_places.h"
#include "calib/shared_observation.h"
#include "io/errors.h"
#include "transforms/awq.h"
#include "transforms/fold.h"
#include "transforms/os_plus.h"
#include "transforms/outlier_suppression.h"
#include "transforms/site_errors.h"
#include "transforms/smoothquant.h"

namespace evenkeel {
namespace {

class BlockCalibrator {
 public:
  BlockCalibrator(const Architecture& architecture, const HiddenStream& stream,
                  const BlockOptions& options, Stopwatch& stopwatch, SharedObservation* observation,
                  Block block)
      : architecture_(architecture),
        stream_(stream),
        options_(options),
        stopwatch_(stopwatch),
        observation_(observation),
        weights_(architecture, block.number, stream, options.scheme, options.batch, options.keep,
                 clips(options.transform, options.scheme.weights), options.kept_columns),
        sites_(sites_of(architecture, block.number, options.transform)) {
    result_.folded = std::move(block);
  }

  BlockResult calibrate() {
    stopwatch_.time(Phase::observe, [&] { observe(); });
    result_.quantized = result_.folded;
    for (const Site& site : sites_) {
      stopwatch_.time(Phase::search, [&] { transform(site); });
      contexts_.clear();
    }
    stopwatch_.time(Phase::quantize, [&] { quantize(); });
    return std::move(result_);
  }

 private:
  void observe() {
    const bool with_contexts = wants_contexts();
    if (options_.keep) {
      if (with_contexts) contexts_.resize(search_samples());
      result_.statistics =
          stream_.observe(architecture_, result_.folded, Node::mlp_hidden, &contexts_);
    } else if (options_.transform.method == Method::smoothquant && !sites_.empty()) {
      result_.statistics = observation_ != nullptr ? observation_->statistics()
                                                   : stream_.observe(architecture_, result_.folded,
                                                                     sites_.back().input);
    }
    for (const Node node : all_nodes) require_finite(node);
    // The same to the bit as those that are observed on the way.
    if (with_contexts && contexts_.empty() && observation_ != nullptr) {
      const std::vector<Matrix>& all = observation_->contexts();
      contexts_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(search_samples()));
    } else if (with_contexts && contexts_.empty()) {
      contexts_ = stream_.capture(architecture_, result_.folded, {}, Node::attention_output,
                                  search_samples());
    }
  }

  bool wants_contexts() const {
    if (sites_.empty() || reach() != Reach::readers) return false;
    const Site& first = sites_.front();
    const Scheme scheme = scheme_of(first);
    return (is_quantized(scheme.weights) || is_quantized(scheme.activations)) &&
           std::ranges::find(first.objectives, Objective::attention) != first.objectives.end();
  }

  Reach reach() const {
    return options_.transform.method == Method::awq ? Reach::projection : Reach::readers;
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
    const Scheme scheme = scheme_of(site);
    if (!is_quantized(scheme.weights) && !is_quantized(scheme.activations)) return;
    try {
      std::vector<Matrix> seen = inputs(site);
      std::erase_if(seen, [](const Matrix& input) { return input.rows() == 0; });
      if (seen.empty()) {
        result_.untouched_sites.push_back(site.name);
        return;
      }
      SiteTransform found = measured(site, scheme, std::move(seen));
      found.transform = ties_of(architecture_, site).gathered(found.transform);
      // A few tokens tell as much of a fold as a whole window, unless experts share them.
      const Matrix window = stream_.at(0);
      const Index checked = architecture_.mixture() ? window.rows() : 64;
      const FoldCheck check(architecture_, site, result_.folded,
                            window.topRows(std::min(checked, window.rows())));
      fold(found.transform, architecture_, site, result_.folded);
      check.require_same(result_.folded);
      copy_site(site);
      result_.sites.push_back({site, std::move(found)});
    } catch (const InputError& error) {
      throw InputError(fmt::format("site '{}': {}", site.name, error.what()));
    }
  }

  // The site's inputs over the search samples, as the stream of this scheme brings them: with
  // everything that the block computes before the site quantized already, or in full precision.
  std::vector<Matrix> inputs(const Site& site) {
    const std::size_t count = search_samples();
    if (options_.scheme.propagate == Propagate::full_precision) {
      return stream_.capture(architecture_, result_.folded, {}, site.input, count,
                             site.readers.front().expert);
    }
    weights_.quantize(result_.folded, result_.quantized, site.input);
    HiddenStore contexts;
    const NodeQuantizers known =
        observe_ranges(architecture_, result_.quantized, stream_, count, options_.batch,
                       options_.scheme, site.input, &contexts);
    return stream_.capture(architecture_, result_.quantized, known, site.input, count,
                           site.readers.front().expert, &contexts);
  }

  // What a candidate is scored with: the input's node, and the weights as if every reader was
  // quantized, unless none is. Ranges are MinMax, as in the published search, which keeps it from
  // estimating anew for every candidate what costs a hundred times as much.
  Scheme scheme_of(const Site& site) const {
    Scheme scheme;
    scheme.weights = {.bits = unquantized_bits};
    scheme.activations = scheme_of_node(options_.scheme, result_.folded.number, site.input);
    scheme.propagate = options_.scheme.propagate;
    if (weights_.quantizes_any(site.readers)) scheme.weights = options_.scheme.weights;
    scheme.weights.range = scheme.activations.range = RangeEstimator::minmax;
    return scheme;
  }

  // The published objectives and whole inputs, whatever the method searches with.
  SiteTransform measured(const Site& site, const Scheme& scheme, std::vector<Matrix> inputs) {
    if (!options_.site_errors) {
      return choose(site, scheme, scored(site, std::move(inputs), reach()));
    }
    const ScoredSite published = scored(site, inputs, Reach::readers);
    SiteTransform found = choose(site, scheme, scored(site, std::move(inputs), reach()));
    found.errors_before =
        site_errors(published, ChannelTransform::identity(published.weight.cols()), scheme);
    found.errors_after = site_errors(published, found.transform, scheme);
    return found;
  }

  // Gives the contexts away where no other scorer is to have them.
  ScoredSite scored(const Site& site, std::vector<Matrix> inputs, Reach reach) {
    ScoredSite result =
        scored_site(architecture_, result_.folded, site, std::move(inputs), {}, reach);
    if (contexts_.empty()) return result;
    for (const Objective objective : site.objectives) {
      auto& known = result.known_outputs.emplace_back();
      if (objective != Objective::attention) continue;
      known = options_.site_errors ? contexts_ : std::move(contexts_);
    }
    return result;
  }

  std::size_t search_samples() const {
    return std::min(static_cast<std::size_t>(options_.transform.search_samples), stream_.size());
  }

  SiteTransform choose(const Site& site, const Scheme& scheme, ScoredSite scored) {
    const TransformOptions& transform = options_.transform;
    if (transform.method == Method::os_plus) {
      return os_plus(std::move(scored), scheme,
                     {.search = transform.search,
                      .can_shift = transform.shift && site.can_shift(),
                      .lowest_threshold = lowest_threshold(architecture_),
                      .scale = transform.scale,
                      .outlier_threshold = transform.outlier_threshold});
    }
    if (transform.method == Method::awq) return awq(std::move(scored), scheme.weights);
    if (transform.method == Method::outlier_suppression) {
      const Vector& gain = result_.folded.norm(*site.norm).gain;
      return outlier_suppression(
          std::move(scored), Vector(gain.array() + gain_offset(architecture_.norm_kind)), scheme);
    }
    return smoothquant(std::move(scored), absmax(site), scheme, transform.alpha);
  }

  // Over all samples, in full precision.
  Vector absmax(const Site& site) const {
    if (!architecture_.mixture() || site.kind != SiteKind::down) {
      return result_.statistics[index_of(site.input)].absmax();
    }
    // The node's statistics are those of all experts.
    Vector widest = Vector::Zero(architecture_.ffn_channels);
    stream_.capture_in_order(architecture_, result_.folded, {}, site.input,
                             site.readers.front().expert, [&](const Matrix& values) {
                               if (values.rows() == 0) return;
                               widest = widest.cwiseMax(values.cwiseAbs().colwise().maxCoeff());
                             });
    return widest;
  }

  // The quantized block follows the folded one; its weights are quantized as they become final.
  void copy_site(const Site& site) {
    if (site.norm) result_.quantized.norm(*site.norm) = result_.folded.norm(*site.norm);
    if (site.linear) copy_linear(*site.linear);
    for (const LinearPlace place : site.readers) copy_linear(place);
  }

  void copy_linear(LinearPlace place) {
    result_.quantized.linear(place) = result_.folded.linear(place);
    weights_.changed(place);
  }

  void quantize() {
    weights_.quantize(result_.folded, result_.quantized);
    result_.codes = weights_.take_codes();
    result_.without_tokens = weights_.without_tokens();
    const bool quantized = options_.scheme.propagate == Propagate::quantized;
    Scheme scheme = options_.scheme;
    if (searches_clip(scheme, result_.folded.number)) {
      result_.clip = search_clip(architecture_, result_.folded, result_.quantized, stream_,
                                 search_samples(), options_.batch, scheme);
      scheme = with_clip(std::move(scheme), *result_.clip);
    }
    result_.quantizers = observe_ranges(
        architecture_, quantized ? result_.quantized : result_.folded, stream_, stream_.size(),
        options_.batch, scheme, std::nullopt, result_.contexts.get());
  }

  const Architecture& architecture_;
  const HiddenStream& stream_;
  const BlockOptions& options_;
  Stopwatch& stopwatch_;
  SharedObservation* observation_;
  BlockWeights weights_;
  std::vector<Site> sites_;
  // What attention gives in full precision over the search samples, while the first site, which no
  // fold precedes, is transformed.
  std::vector<Matrix> contexts_;
  BlockResult result_;
};

}  // namespace

BlockResult calibrate_block(const Architecture& architecture, Block block,
                            const HiddenStream& stream, const BlockOptions& options,
                            Stopwatch& stopwatch, SharedObservation* observation) {
  return BlockCalibrator(architecture, stream, options, stopwatch, observation, std::move(block))
      .calibrate();
}

void advance_past(const LanguageModel& model, Index number, const BlockResult& result,
                  const Scheme& scheme, HiddenStream& stream) {
  if (scheme.propagate == Propagate::quantized) {
    stream.advance(model.architecture(), result.quantized, result.quantizers,
                   result.contexts.get());
  } else {
    // Not as it was folded, so that all calibrations on these samples see the same.
    stream.advance(model.architecture(), model.load_block(number), {});
  }
}

}  // namespace evenkeel
