#include "transforms/os_plus.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "io/errors.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/candidate_search.h"

namespace evenkeel {
namespace {

// OS+ without its threshold: see the header. `scale` and `loss` are those of the search that gave
// every channel one threshold; the widest channel keeps it.
class ChannelSearch {
 public:
  ChannelSearch(const SiteScorer& scorer, const Scheme& scheme, const ChannelExtrema& extrema,
                Search search)
      : scorer_(scorer),
        scheme_(scheme),
        extrema_(extrema),
        search_(search),
        magnitude_(extrema.high.cwiseMax(-extrema.low)),
        order_(static_cast<std::size_t>(magnitude_.size())) {
    std::iota(order_.begin(), order_.end(), Index{0});
    std::ranges::stable_sort(order_,
                             [&](Index a, Index b) { return magnitude_(a) > magnitude_(b); });
  }

  void refine(SiteTransform& result) {
    scale_ = result.transform.scale;
    for (std::size_t visited = 1; visited < order_.size(); ++visited) {
      const Index channel = order_[visited];
      // Of thresholds that scale none of the channels left, one will do.
      const auto first = std::ranges::find_if(
          result.thresholds, [&](double t) { return static_cast<float>(t) < magnitude_(channel); });
      if (first == result.thresholds.end()) break;
      const auto begin = first == result.thresholds.begin() ? first : std::prev(first);
      const std::vector<double> thresholds(begin, result.thresholds.end());
      const GridResult found =
          search_candidates(scorer_, thresholds.size(), search_, [&](std::size_t i) {
            const Vector scale = with_rest_at(visited, thresholds[i]);
            return Candidate{scale, symmetric_quantizer(scheme_.activations, extrema_, scale)};
          });
      if (!(found.losses[found.best] < result.loss_after)) continue;
      result.loss_after = found.losses[found.best];
      scale_ = with_rest_at(visited, thresholds[found.best]);
    }
    result.transform.scale = scale_;
  }

 private:
  // Tied channels move alike: with the first of them.
  Vector with_rest_at(std::size_t visited, double threshold) const {
    Vector scale = scale_;
    for (std::size_t i = visited; i < order_.size(); ++i) {
      const Index j = order_[i];
      scale(j) = scale_for_threshold(extrema_.low(j), extrema_.high(j), threshold);
    }
    return scorer_.site().ties.pooled(scale);
  }

  const SiteScorer& scorer_;
  const Scheme& scheme_;
  const ChannelExtrema& extrema_;
  Search search_;
  Vector magnitude_;
  std::vector<Index> order_;
  Vector scale_;
};

}  // namespace

// Halved before the sum, which then can't overflow.
Vector os_plus_shift(const ChannelExtrema& extrema) {
  return extrema.high / 2.0F + extrema.low / 2.0F;
}

double lowest_threshold(const Architecture& architecture) {
  return architecture.norm_kind == NormKind::layer ? layer_norm_lowest_threshold
                                                   : rms_norm_lowest_threshold;
}

SiteTransform os_plus(ScoredSite site, const Scheme& scheme, const OsPlusOptions& options) {
  for (const Matrix& input : site.inputs) {
    if (!input.allFinite()) {
      throw InputError("the site's input holds NaN or infinity on the calibration text");
    }
  }
  SiteScorer scorer(std::move(site), scheme.weights);
  const ScoredSite& scored = scorer.site();
  const auto extrema_now = [&] {
    return scored.ties.pooled(channel_extrema(scored.inputs, scored.masks));
  };
  SiteTransform result;
  result.transform = ChannelTransform::identity(scored.weight.cols());
  result.loss_before = unscaled_loss(scorer, scheme);
  if (options.can_shift) {
    result.transform.shift = os_plus_shift(extrema_now());
    scorer.shift_by(result.transform.shift);
  }
  const ChannelExtrema extrema = extrema_now();
  result.thresholds =
      threshold_grid({extrema.low.minCoeff(), extrema.high.maxCoeff()}, options.lowest_threshold);
  if (!options.scale) result.thresholds.resize(1);
  const GridResult found =
      search_candidates(scorer, result.thresholds.size(), options.search, [&](std::size_t i) {
        const double threshold = result.thresholds[i];
        return Candidate{scale_for_threshold(extrema.low, extrema.high, threshold),
                         threshold_quantizer(scheme.activations, extrema, threshold)};
      });
  result.losses = found.losses;
  result.threshold = result.thresholds[found.best];
  result.loss_after = found.losses[found.best];
  result.transform.scale = scale_for_threshold(extrema.low, extrema.high, result.threshold);
  if (options.scale && !options.outlier_threshold) {
    ChannelSearch(scorer, scheme, extrema, options.search).refine(result);
  }
  return result;
}

}  // namespace evenkeel
