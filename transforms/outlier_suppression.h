// Outlier Suppression (Wei et al. 2022): gamma migration.
#pragma once

#include "io/matrix.h"
#include "quantizers/scheme.h"
#include "transforms/site_scorer.h"
#include "transforms/site_transform.h"

namespace evenkeel {

/// The norm's own gain as the scale, so that the norm keeps none: what is quantized is
/// (x - mean) / deviation + bias / gain (Eq. 4). A scale is negative where the gain is; a channel
/// whose gain is zero stays. No shift, nothing is searched. `gain` [channels] is what the norm
/// multiplies by (of Gemma's, one more than its weight).
/// Throws: InputError when the loss is not finite.
SiteTransform outlier_suppression(ScoredSite site, const ConstVectorView& gain,
                                  const Scheme& scheme);

}  // namespace evenkeel
