#include "calib/analysis/mean_map.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace evenkeel {
namespace {

template <typename Before>
std::vector<MeanEntry> first_hundredth(std::vector<MeanEntry> entries, const Before& before) {
  const auto count = static_cast<std::ptrdiff_t>((entries.size() + 99) / 100);
  const auto in_order = [&](const MeanEntry& a, const MeanEntry& b) {
    if (before(a.value, b.value) || before(b.value, a.value)) return before(a.value, b.value);
    return a.block != b.block ? a.block < b.block : a.channel < b.channel;
  };
  std::ranges::partial_sort(entries, entries.begin() + count, in_order);
  entries.resize(static_cast<std::size_t>(count));
  return entries;
}

}  // namespace

MeanEnds mean_ends(const std::vector<Vector>& means) {
  std::vector<MeanEntry> entries;
  for (std::size_t block = 0; block < means.size(); ++block) {
    for (Index channel = 0; channel < means[block].size(); ++channel) {
      entries.push_back({static_cast<std::int32_t>(block), static_cast<std::int32_t>(channel),
                         means[block](channel)});
    }
  }
  assert(!entries.empty());
  return {first_hundredth(entries, std::greater<float>()),
          first_hundredth(entries, std::less<float>())};
}

Pooled pooled(const Vector& values, int kernel) {
  Pooled result;
  for (Index first = 0; first < values.size(); first += kernel) {
    const auto part = values.segment(first, std::min<Index>(kernel, values.size() - first));
    result.low.push_back(part.minCoeff());
    result.high.push_back(part.maxCoeff());
  }
  return result;
}

}  // namespace evenkeel
