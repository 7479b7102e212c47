#include "transforms/outlier_suppression.h"

#include <cmath>
#include <utility>

#include "io/errors.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/channel_extrema.h"

namespace evenkeel {

SiteTransform outlier_suppression(ScoredSite site, const ConstVectorView& gain,
                                  const Scheme& scheme) {
  SiteTransform result;
  result.transform = ChannelTransform::identity(site.weight.cols());
  result.transform.scale = (gain.array() == 0.0F).select(1.0F, gain.array());
  const SiteScorer scorer(std::move(site), scheme.weights);
  const ChannelExtrema extrema = channel_extrema(scorer.site().inputs, scorer.site().masks);
  result.loss_before = unscaled_loss(scorer, scheme);
  result.loss_after =
      *scorer.loss({result.transform.scale,
                    scaled_quantizer(scheme.activations, extrema, result.transform.scale)});
  if (!std::isfinite(result.loss_after)) {
    throw InputError(
        "the site's loss is not finite; the model's activations overflow on the calibration text");
  }
  return result;
}

}  // namespace evenkeel
