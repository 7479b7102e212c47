#include "quantizers/embedding_groups.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace evenkeel {

std::vector<std::size_t> embedding_groups(const std::vector<Range>& channels,
                                          const TensorScheme& scheme) {
  assert(scheme.granularity == Granularity::per_embedding_group && scheme.groups > 0);
  std::vector<std::size_t> order(channels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (scheme.permute) {
    std::ranges::stable_sort(order, {}, [&](std::size_t channel) {
      return static_cast<double>(channels[channel].high) -
             static_cast<double>(channels[channel].low);
    });
  }
  std::vector<std::size_t> group_of(channels.size());
  const std::size_t groups = std::min(static_cast<std::size_t>(scheme.groups), channels.size());
  std::size_t first = 0;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t size =
        channels.size() / groups + (group < channels.size() % groups ? 1U : 0U);
    for (std::size_t i = first; i < first + size; ++i) group_of[order[i]] = group;
    first += size;
  }
  return group_of;
}

std::vector<Range> shared_ranges(std::vector<Range> channels,
                                 const std::vector<std::size_t>& groups) {
  assert(channels.size() == groups.size());
  if (channels.empty()) return channels;
  std::vector<Range> widest(*std::ranges::max_element(groups) + 1);
  std::vector<bool> seen(widest.size());
  for (std::size_t i = 0; i < channels.size(); ++i) {
    Range& range = widest[groups[i]];
    range = seen[groups[i]] ? widened(range, channels[i]) : channels[i];
    seen[groups[i]] = true;
  }
  for (std::size_t i = 0; i < channels.size(); ++i) channels[i] = widest[groups[i]];
  return channels;
}

}  // namespace evenkeel
