// Extrema of each channel of a site's input.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "model/attention.h"

namespace evenkeel {

/// Smallest and largest value of each channel over samples, padding left out.
struct ChannelExtrema {
  Vector low, high;  // [channels]
};
/// REQUIRES: at least one sample with a token that is not padding; masks empty or one per sample.
ChannelExtrema channel_extrema(const std::vector<Matrix>& samples,
                               const std::vector<TokenMask>& masks = {});

}  // namespace evenkeel
