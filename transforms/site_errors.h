// What quantization does to a site's input and weights, under a transform or none.
#pragma once

#include "quantizers/scheme.h"
#include "transforms/channel_transform.h"

namespace evenkeel {

struct ScoredSite;

/// Of the shifted and scaled input and the scaled weights: the figures that OS+'s authors compare
/// transforms by (Wei et al. 2023, Table 6).
struct SiteErrors {
  double low = 0.0;  // of the input, over all tokens and channels
  double high = 0.0;
  double input = 0.0;   // mean over tokens of the sum over channels of squared errors
  double weight = 0.0;  // sum over all weights of squared errors
  double output = 0.0;  // as SiteScorer::loss
};

/// Static ranges are those of these inputs, minimum and maximum, whatever the method searched with,
/// so that methods can be compared.
/// REQUIRES: `transform` of the scored site's channels.
SiteErrors site_errors(ScoredSite site, const ChannelTransform& transform, const Scheme& scheme);

}  // namespace evenkeel
