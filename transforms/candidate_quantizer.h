// The quantizer of a site's input while candidates are compared.
#pragma once

#include "quantizers/activation_quantizer.h"
#include "quantizers/scheme.h"
#include "transforms/channel_extrema.h"
#include "transforms/site_scorer.h"

namespace evenkeel {

/// From the extrema of the input before scaling and the scale to be tried: the range is that of
/// the scaled input, from end to end whatever the scheme's estimator (per tensor, channel or
/// embedding group; dynamic schemes find their own).
ActivationQuantizer scaled_quantizer(const TensorScheme& activations, const ChannelExtrema& extrema,
                                     const Vector& scale);

/// OS+: per tensor, the range is [-threshold, threshold]; otherwise as `scaled_quantizer`.
ActivationQuantizer threshold_quantizer(const TensorScheme& activations,
                                        const ChannelExtrema& extrema, double threshold);

/// The same where channels have thresholds of their own: per tensor, [-m, m] with m the largest
/// magnitude of the scaled input.
ActivationQuantizer symmetric_quantizer(const TensorScheme& activations,
                                        const ChannelExtrema& extrema, const Vector& scale);

/// Loss of quantizing the site as it stands: scale one, the input's own range.
double unscaled_loss(const SiteScorer& scorer, const Scheme& scheme);

}  // namespace evenkeel
