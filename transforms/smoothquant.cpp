#include "transforms/smoothquant.h"

#include <algorithm>
#include <cmath>

#include "io/errors.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/candidate_search.h"

namespace evenkeel {

Vector smoothquant_scale(const ConstVectorView& absmax, const ConstMatrixView& weight,
                         double alpha) {
  return smoothquant_scale_of_maxima(absmax, Vector(weight.cwiseAbs().colwise().maxCoeff()), alpha);
}

Vector smoothquant_scale_of_maxima(const ConstVectorView& absmax,
                                   const ConstVectorView& weight_absmax, double alpha) {
  constexpr float smallest = 1e-5F;
  Vector scale(absmax.size());
  for (Index j = 0; j < absmax.size(); ++j) {
    const double from_input = std::pow(static_cast<double>(absmax(j)), alpha);
    const double from_weight =
        std::pow(static_cast<double>(std::max(weight_absmax(j), smallest)), 1.0 - alpha);
    scale(j) = std::max(static_cast<float>(from_input / from_weight), smallest);
  }
  return scale;
}

std::vector<double> alpha_grid() {
  std::vector<double> alphas;
  for (int i = 0; i <= 20; ++i) alphas.push_back(i / 20.0);
  return alphas;
}

SiteTransform smoothquant(ScoredSite site, const ConstVectorView& absmax, const Scheme& scheme,
                          std::optional<double> alpha) {
  SiteTransform result;
  result.transform = ChannelTransform::identity(site.weight.cols());
  const SiteScorer scorer(std::move(site), scheme.weights);
  const ScoredSite& scored = scorer.site();
  const ChannelExtrema extrema = channel_extrema(scored.inputs, scored.masks);
  const Vector tied_absmax = scored.ties.pooled(Vector(absmax));
  Vector weight_absmax = scored.weight.cwiseAbs().colwise().maxCoeff();
  if (scored.unscored_weight.rows() > 0) {
    weight_absmax = weight_absmax.cwiseMax(scored.unscored_weight.cwiseAbs().colwise().maxCoeff());
  }
  const auto scale_for = [&](double exponent) {
    return scored.ties.pooled(smoothquant_scale_of_maxima(tied_absmax, weight_absmax, exponent));
  };
  const auto candidate = [&](double exponent) {
    const Vector scale = scale_for(exponent);
    return Candidate{scale, scaled_quantizer(scheme.activations, extrema, scale)};
  };
  result.loss_before = unscaled_loss(scorer, scheme);
  if (alpha) {
    result.threshold = *alpha;
    result.loss_after = *scorer.loss(candidate(*alpha));
    if (!std::isfinite(result.loss_after)) {
      throw InputError(
          "the site's loss is not finite; the model's activations overflow on the calibration "
          "text");
    }
  } else {
    result.thresholds = alpha_grid();
    const GridResult found =
        search_candidates(scorer, result.thresholds.size(), Search::exhaustive,
                          [&](std::size_t i) { return candidate(result.thresholds[i]); });
    result.losses = found.losses;
    result.threshold = result.thresholds[found.best];
    result.loss_after = found.losses[found.best];
  }
  result.transform.scale = scale_for(result.threshold);
  return result;
}

}  // namespace evenkeel
