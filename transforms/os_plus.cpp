#include "transforms/os_plus.h"

#include "io/errors.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/grid_search.h"

namespace evenkeel {
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
  const auto found = grid_search(
      result.thresholds.size(), options.search, [&](std::size_t i, double bound, bool tie_loses) {
        const double threshold = result.thresholds[i];
        const Candidate candidate{scale_for_threshold(extrema.low, extrema.high, threshold),
                                  threshold_quantizer(scheme.activations, extrema, threshold)};
        return scorer.loss(candidate, bound, tie_loses);
      });
  result.losses = found.losses;
  result.threshold = result.thresholds[found.best];
  result.loss_after = found.losses[found.best];
  result.transform.scale = scale_for_threshold(extrema.low, extrema.high, result.threshold);
  return result;
}

}  // namespace evenkeel
