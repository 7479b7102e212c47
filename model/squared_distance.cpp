#include "model/squared_distance.h"

#include <cassert>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/squared_distance.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

double squared_distance_all(const float* a, const float* b, std::size_t size) {
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  const std::size_t lanes = hn::Lanes(wide);
  // Two sums hide the latency of the addition.
  auto even = hn::Zero(wide);
  auto odd = hn::Zero(wide);
  const auto difference = [&](std::size_t i) {
    return hn::PromoteTo(wide, hn::Sub(hn::LoadU(narrow, a + i), hn::LoadU(narrow, b + i)));
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= size; i += 2 * lanes) {
    const auto first = difference(i);
    const auto second = difference(i + lanes);
    even = hn::MulAdd(first, first, even);
    odd = hn::MulAdd(second, second, odd);
  }
  double sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(even, odd)));
  for (; i < size; ++i) {
    const auto rest = static_cast<double>(a[i] - b[i]);
    sum += rest * rest;
  }
  return sum;
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(squared_distance_all);

double squared_distance(std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  return HWY_DYNAMIC_DISPATCH(squared_distance_all)(a.data(), b.data(), a.size());
}

}  // namespace evenkeel
#endif  // HWY_ONCE
