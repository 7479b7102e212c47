// The vectorised half of affine.h, compiled once for each instruction set and chosen at run time.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "quantizers/affine.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantizers/affine_kernels.cpp"
// The order matters to Highway.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "quantizers/affine_codes-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Each kernel is a loop over whole vectors of tag `d` from element `i` on, which returns where it
// stopped; it runs first with full vectors and then, for what is left, with single lanes.
using Wide = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

struct Target {
  float low;
  float high;
};

// To a code and back; NaN stays NaN.
template <class V>
HWY_INLINE V value_of_code(V value, V rounded, V step, V zero, V low, V high) {
  const V code = code_of_rounded(rounded, zero, low, high);
  return hn::IfThenElse(hn::IsNaN(value), value, hn::Mul(step, hn::Sub(code, zero)));
}

template <class D>
std::size_t fake_quantize_part(D d, float* values, std::size_t i, std::size_t size,
                               AffineParameters parameters, Target target) {
  const auto step = hn::Set(d, parameters.step);
  const auto inverse = hn::Set(d, 1.0F / parameters.step);
  const auto zero = hn::Set(d, static_cast<float>(parameters.zero_point));
  const auto low = hn::Set(d, target.low);
  const auto high = hn::Set(d, target.high);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, values + i);
    const auto rounded = rounded_quotient(d, value, step, inverse);
    hn::StoreU(value_of_code(value, rounded, step, zero, low, high), d, values + i);
  }
  return i;
}

void fake_quantize_all(float* values, std::size_t size, AffineParameters parameters,
                       CodeRange range) {
  const Target target{static_cast<float>(range.low), static_cast<float>(range.high)};
  const std::size_t done = fake_quantize_part(Wide(), values, 0, size, parameters, target);
  fake_quantize_part(Single(), values, done, size, parameters, target);
}

template <class D>
std::size_t fake_quantize_each_part(D d, float* values, std::size_t i, std::size_t size,
                                    const float* steps, const std::int32_t* zero_points,
                                    Target target) {
  const hn::RebindToSigned<D> integers;
  const auto low = hn::Set(d, target.low);
  const auto high = hn::Set(d, target.high);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto step = hn::LoadU(d, steps + i);
    const auto zero = hn::ConvertTo(d, hn::LoadU(integers, zero_points + i));
    const auto value = hn::LoadU(d, values + i);
    const auto rounded = hn::Round(hn::Div(value, step));
    hn::StoreU(value_of_code(value, rounded, step, zero, low, high), d, values + i);
  }
  return i;
}

void fake_quantize_each_all(float* values, std::size_t size, const float* steps,
                            const std::int32_t* zero_points, CodeRange range) {
  const Target target{static_cast<float>(range.low), static_cast<float>(range.high)};
  const std::size_t done =
      fake_quantize_each_part(Wide(), values, 0, size, steps, zero_points, target);
  fake_quantize_each_part(Single(), values, done, size, steps, zero_points, target);
}

template <class D>
std::size_t quantize_part(D d, const float* values, std::size_t i, std::size_t size,
                          AffineParameters parameters, Target target, std::int16_t* codes) {
  const hn::RebindToSigned<D> integers;
  const hn::Rebind<std::int16_t, D> halves;
  const auto step = hn::Set(d, parameters.step);
  const auto inverse = hn::Set(d, 1.0F / parameters.step);
  const auto zero = hn::Set(d, static_cast<float>(parameters.zero_point));
  const auto low = hn::Set(d, target.low);
  const auto high = hn::Set(d, target.high);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto rounded = rounded_quotient(d, hn::LoadU(d, values + i), step, inverse);
    const auto code = code_of_rounded(rounded, zero, low, high);
    hn::StoreU(hn::DemoteTo(halves, hn::ConvertTo(integers, code)), halves, codes + i);
  }
  return i;
}

void quantize_all(const float* values, std::size_t size, AffineParameters parameters,
                  CodeRange range, std::int16_t* codes) {
  const Target target{static_cast<float>(range.low), static_cast<float>(range.high)};
  const std::size_t done = quantize_part(Wide(), values, 0, size, parameters, target, codes);
  quantize_part(Single(), values, done, size, parameters, target, codes);
}

template <class D>
std::size_t dequantize_part(D d, const std::int16_t* codes, std::size_t i, std::size_t size,
                            AffineParameters parameters, float* values) {
  const hn::RebindToSigned<D> integers;
  const hn::Rebind<std::int16_t, D> halves;
  const auto step = hn::Set(d, parameters.step);
  const auto zero = hn::Set(integers, parameters.zero_point);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto code = hn::PromoteTo(integers, hn::LoadU(halves, codes + i));
    hn::StoreU(hn::Mul(step, hn::ConvertTo(d, hn::Sub(code, zero))), d, values + i);
  }
  return i;
}

void dequantize_all(const std::int16_t* codes, std::size_t size, AffineParameters parameters,
                    float* values) {
  const std::size_t done = dequantize_part(Wide(), codes, 0, size, parameters, values);
  dequantize_part(Single(), codes, done, size, parameters, values);
}

// Two pairs of accumulators hide the latency of minimum and maximum. What these do with NaN
// depends on the target, so that NaN is remembered apart.
Range range_of_all(const float* values, std::size_t size) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  auto low0 = hn::Set(d, values[0]);
  auto high0 = low0;
  auto low1 = low0;
  auto high1 = low0;
  auto nan = hn::IsNaN(low0);
  std::size_t i = 0;
  for (; i + 2 * lanes <= size; i += 2 * lanes) {
    const auto first = hn::LoadU(d, values + i);
    const auto second = hn::LoadU(d, values + i + lanes);
    nan = hn::Or(nan, hn::Or(hn::IsNaN(first), hn::IsNaN(second)));
    low0 = hn::Min(low0, first);
    high0 = hn::Max(high0, first);
    low1 = hn::Min(low1, second);
    high1 = hn::Max(high1, second);
  }
  for (; i < size; ++i) {
    const auto value = hn::Set(d, values[i]);
    nan = hn::Or(nan, hn::IsNaN(value));
    low0 = hn::Min(low0, value);
    high0 = hn::Max(high0, value);
  }
  if (!hn::AllFalse(d, nan)) {
    return {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN()};
  }
  return {hn::GetLane(hn::MinOfLanes(d, hn::Min(low0, low1))),
          hn::GetLane(hn::MaxOfLanes(d, hn::Max(high0, high1)))};
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(fake_quantize_all);
HWY_EXPORT(fake_quantize_each_all);
HWY_EXPORT(quantize_all);
HWY_EXPORT(dequantize_all);
HWY_EXPORT(range_of_all);

Range range_of(std::span<const float> values) {
  assert(!values.empty());
  return HWY_DYNAMIC_DISPATCH(range_of_all)(values.data(), values.size());
}

void quantize(std::span<const float> values, AffineParameters parameters, CodeRange range,
              std::span<std::int16_t> codes) {
  assert(values.size() == codes.size());
  HWY_DYNAMIC_DISPATCH(quantize_all)(values.data(), values.size(), parameters, range, codes.data());
}

void dequantize(std::span<const std::int16_t> codes, AffineParameters parameters,
                std::span<float> values) {
  assert(values.size() == codes.size());
  HWY_DYNAMIC_DISPATCH(dequantize_all)(codes.data(), codes.size(), parameters, values.data());
}

void fake_quantize(std::span<float> values, AffineParameters parameters, CodeRange range) {
  HWY_DYNAMIC_DISPATCH(fake_quantize_all)(values.data(), values.size(), parameters, range);
}

void fake_quantize_each(std::span<float> values, std::span<const float> steps,
                        std::span<const std::int32_t> zero_points, CodeRange range) {
  assert(values.size() == steps.size() && values.size() == zero_points.size());
  HWY_DYNAMIC_DISPATCH(fake_quantize_each_all)
  (values.data(), values.size(), steps.data(), zero_points.data(), range);
}

}  // namespace evenkeel
#endif  // HWY_ONCE
