#include "transforms/channel_extrema.h"

#include <limits>

namespace evenkeel {

ChannelExtrema channel_extrema(const std::vector<Matrix>& samples,
                               const std::vector<TokenMask>& masks) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Index channels = samples.front().cols();
  ChannelExtrema extrema{Vector::Constant(channels, infinity),
                         Vector::Constant(channels, -infinity)};
  for (std::size_t sample = 0; sample < samples.size(); ++sample) {
    for (Index row = 0; row < samples[sample].rows(); ++row) {
      if (is_padding(masks, sample, row)) continue;
      extrema.low = extrema.low.cwiseMin(samples[sample].row(row));
      extrema.high = extrema.high.cwiseMax(samples[sample].row(row));
    }
  }
  return extrema;
}

}  // namespace evenkeel
