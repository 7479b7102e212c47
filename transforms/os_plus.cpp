#include "transforms/os_plus.h"

#include "io/errors.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/grid_search.h"
#include "transforms/threshold_grid.h"

namespace evenkeel {
namespace {

void move_by(const Vector& shift, ScoredSite& site) {
  for (Matrix& input : site.inputs) input.rowwise() -= shift;
  if (site.bias.size() == 0) site.bias = Vector::Zero(site.weight.rows());
  site.bias =
      (site.bias.cast<double>() + shift.cast<double>() * site.weight.cast<double>().transpose())
          .cast<float>();
}

}  // namespace

// Halved before the sum, which then can't overflow.
Vector os_plus_shift(const ChannelExtrema& extrema) {
  return extrema.high / 2.0F + extrema.low / 2.0F;
}

SiteTransform os_plus(ScoredSite site, const Scheme& scheme, Search search, bool can_shift) {
  for (const Matrix& input : site.inputs) {
    if (!input.allFinite()) {
      throw InputError("the site's input holds NaN or infinity on the calibration text");
    }
  }
  const Index channels = site.weight.cols();
  SiteTransform result;
  result.transform = ChannelTransform::identity(channels);
  result.loss_before = unscaled_loss(SiteScorer(site, scheme.weights), scheme);
  if (can_shift) {
    result.transform.shift = os_plus_shift(channel_extrema(site.inputs, site.masks));
    move_by(result.transform.shift, site);
  }
  const SiteScorer scorer(std::move(site), scheme.weights);
  const ChannelExtrema extrema = channel_extrema(scorer.site().inputs, scorer.site().masks);
  result.thresholds = threshold_grid({extrema.low.minCoeff(), extrema.high.maxCoeff()});
  const auto found = grid_search(
      result.thresholds.size(), search, [&](std::size_t i, double bound, bool tie_loses) {
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
