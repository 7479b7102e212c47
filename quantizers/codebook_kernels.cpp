// The vectorised half of codebook.h, compiled once for each instruction set and chosen at run time.
#include <cstddef>
#include <cstdint>
#include <span>

#include "quantizers/codebook.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantizers/codebook_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A binary search of each lane, all lanes in step: the position is the number of thresholds below
// the value. `half` is half of the power of two that holds every position.
template <class D>
std::size_t nearest_part(D d, float* values, std::size_t i, std::size_t size, const float* codebook,
                         const float* thresholds, std::int32_t half) {
  const hn::RebindToSigned<D> integers;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, values + i);
    auto position = hn::Zero(integers);
    for (std::int32_t step = half; step > 0; step /= 2) {
      const auto further = hn::Add(position, hn::Set(integers, step));
      const auto threshold = hn::GatherIndex(d, thresholds, hn::Sub(further, hn::Set(integers, 1)));
      const auto above = hn::RebindMask(integers, hn::Gt(value, threshold));
      position = hn::IfThenElse(above, further, position);
    }
    const auto found = hn::GatherIndex(d, codebook, position);
    hn::StoreU(hn::IfThenElse(hn::IsNaN(value), value, found), d, values + i);
  }
  return i;
}

void nearest_all(float* values, std::size_t size, const float* codebook, const float* thresholds,
                 std::int32_t half) {
  const std::size_t done =
      nearest_part(hn::ScalableTag<float>(), values, 0, size, codebook, thresholds, half);
  nearest_part(hn::CappedTag<float, 1>(), values, done, size, codebook, thresholds, half);
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(nearest_all);

void Codebook::fake_quantize(std::span<float> values) const {
  std::int32_t half = 1;
  while (2 * static_cast<std::size_t>(half) < size_) half *= 2;
  HWY_DYNAMIC_DISPATCH(nearest_all)
  (values.data(), values.size(), values_.data(), thresholds_.data(), half);
}

}  // namespace evenkeel
#endif  // HWY_ONCE
