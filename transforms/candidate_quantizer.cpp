#include "transforms/candidate_quantizer.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "quantizers/embedding_groups.h"
#include "transforms/threshold_grid.h"

namespace evenkeel {

ActivationQuantizer scaled_quantizer(const TensorScheme& activations, const ChannelExtrema& extrema,
                                     const Vector& scale) {
  if (is_dynamic(activations)) return ActivationQuantizer(activations);
  // A negative scale (of a negative gain) swaps the ends.
  const Vector first = extrema.low.array() / scale.array();
  const Vector second = extrema.high.array() / scale.array();
  const Vector low = first.cwiseMin(second);
  const Vector high = first.cwiseMax(second);
  if (activations.granularity == Granularity::per_tensor) {
    return {activations, {Range{low.minCoeff(), high.maxCoeff()}}};
  }
  std::vector<Range> ranges;
  for (Index j = 0; j < low.size(); ++j) ranges.push_back({low(j), high(j)});
  if (activations.granularity == Granularity::per_embedding_group) {
    const std::vector<std::size_t> groups = embedding_groups(ranges, activations);
    ranges = shared_ranges(std::move(ranges), groups);
  }
  return {activations, std::move(ranges)};
}

ActivationQuantizer threshold_quantizer(const TensorScheme& activations,
                                        const ChannelExtrema& extrema, double threshold) {
  if (!is_dynamic(activations) && activations.granularity == Granularity::per_tensor) {
    const auto limit = static_cast<float>(threshold);
    return {activations, {Range{-limit, limit}}};
  }
  return scaled_quantizer(activations, extrema,
                          scale_for_threshold(extrema.low, extrema.high, threshold));
}

ActivationQuantizer symmetric_quantizer(const TensorScheme& activations,
                                        const ChannelExtrema& extrema, const Vector& scale) {
  if (is_dynamic(activations) || activations.granularity != Granularity::per_tensor) {
    return scaled_quantizer(activations, extrema, scale);
  }
  const Vector magnitude = extrema.high.cwiseMax(-extrema.low);
  const float limit = (magnitude.array() / scale.array()).maxCoeff();
  return {activations, {Range{-limit, limit}}};
}

double unscaled_loss(const SiteScorer& scorer, const Scheme& scheme) {
  const ChannelExtrema extrema = channel_extrema(scorer.site().inputs, scorer.site().masks);
  const Vector ones = Vector::Ones(scorer.site().weight.cols());
  return *scorer.loss({ones, scaled_quantizer(scheme.activations, extrema, ones)});
}

}  // namespace evenkeel
