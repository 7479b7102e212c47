#include "quantizers/byte_kernels.h"

#include <cassert>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantizers/byte_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Loops over whole vectors from element `i` on that return where they stopped; they run first with
// full vectors and then, for what is left, with single lanes.
using Wide = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

template <class D, class Byte>
std::size_t byte_codes_part(D d, const float* values, std::size_t i, std::size_t size,
                            AffineParameters parameters, CodeRange range, int offset, Byte* codes,
                            std::int32_t& sum) {
  const hn::RebindToSigned<D> integers;
  const hn::Rebind<Byte, D> bytes;
  const auto step = hn::Set(d, parameters.step);
  const auto zero = hn::Set(d, static_cast<float>(parameters.zero_point));
  const auto low = hn::Set(d, static_cast<float>(range.low));
  const auto high = hn::Set(d, static_cast<float>(range.high));
  const auto start = hn::Set(integers, offset);
  auto total = hn::Zero(integers);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    // As affine_kernels.cpp has it, to the bit: NaN gives `low`.
    const auto rounded = hn::Add(hn::Round(hn::Div(hn::LoadU(d, values + i), step)), zero);
    const auto code = hn::Min(hn::IfThenElse(hn::Ge(rounded, low), rounded, low), high);
    const auto shifted = hn::Sub(hn::ConvertTo(integers, code), start);
    total = hn::Add(total, shifted);
    hn::StoreU(hn::DemoteTo(bytes, shifted), bytes, codes + i);
  }
  sum += hn::GetLane(hn::SumOfLanes(integers, total));
  return i;
}

template <class Byte>
std::int32_t byte_codes_all(const float* values, std::size_t size, AffineParameters parameters,
                            CodeRange range, int offset, Byte* codes) {
  std::int32_t sum = 0;
  const std::size_t done =
      byte_codes_part(Wide(), values, 0, size, parameters, range, offset, codes, sum);
  byte_codes_part(Single(), values, done, size, parameters, range, offset, codes, sum);
  return sum;
}

std::int32_t unsigned_codes(const float* values, std::size_t size, AffineParameters parameters,
                            CodeRange range, int offset, std::uint8_t* codes) {
  return byte_codes_all(values, size, parameters, range, offset, codes);
}

std::int32_t signed_codes(const float* values, std::size_t size, AffineParameters parameters,
                          CodeRange range, int offset, std::int8_t* codes) {
  return byte_codes_all(values, size, parameters, range, offset, codes);
}

template <class D>
std::size_t values_of_sums_part(D d, const CodeSums& row, std::size_t i, std::size_t size,
                                float* out) {
  const hn::RebindToSigned<D> integers;
  const auto step = hn::Set(d, row.step);
  const auto zero = hn::Set(integers, row.zero_point);
  const auto sum = hn::Set(integers, row.sum);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    // Terms may wrap around; what they add up to does not.
    const auto corrections = hn::Add(hn::Mul(hn::LoadU(integers, row.zeros.data() + i), sum),
                                     hn::Mul(hn::LoadU(integers, row.terms.data() + i), zero));
    const auto exact = hn::Sub(hn::LoadU(integers, row.sums.data() + i), corrections);
    auto value =
        hn::Mul(hn::Mul(step, hn::LoadU(d, row.steps.data() + i)), hn::ConvertTo(d, exact));
    if (!row.bias.empty()) value = hn::Add(value, hn::LoadU(d, row.bias.data() + i));
    hn::StoreU(value, d, out + i);
  }
  return i;
}

void values_of_sums_all(const CodeSums& row, std::size_t size, float* out) {
  const std::size_t done = values_of_sums_part(Wide(), row, 0, size, out);
  values_of_sums_part(Single(), row, done, size, out);
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(unsigned_codes);
HWY_EXPORT(signed_codes);
HWY_EXPORT(values_of_sums_all);

std::int32_t byte_codes(std::span<const float> values, AffineParameters parameters, CodeRange range,
                        int offset, std::span<std::uint8_t> codes) {
  assert(values.size() == codes.size());
  return HWY_DYNAMIC_DISPATCH(unsigned_codes)(values.data(), values.size(), parameters, range,
                                              offset, codes.data());
}

std::int32_t byte_codes(std::span<const float> values, AffineParameters parameters, CodeRange range,
                        int offset, std::span<std::int8_t> codes) {
  assert(values.size() == codes.size());
  return HWY_DYNAMIC_DISPATCH(signed_codes)(values.data(), values.size(), parameters, range, offset,
                                            codes.data());
}

void values_of_sums(const CodeSums& row, std::span<float> out) {
  assert(row.sums.size() == out.size() && row.steps.size() == out.size());
  assert(row.zeros.size() == out.size() && row.terms.size() == out.size());
  assert(row.bias.empty() || row.bias.size() == out.size());
  HWY_DYNAMIC_DISPATCH(values_of_sums_all)(row, out.size(), out.data());
}

namespace reference {

float value_of_sum(const CodeSums& row, std::size_t output) {
  const std::int64_t exact = std::int64_t{row.sums[output]} -
                             std::int64_t{row.zeros[output]} * row.sum -
                             std::int64_t{row.terms[output]} * row.zero_point;
  const float value = row.step * row.steps[output] * static_cast<float>(exact);
  return row.bias.empty() ? value : value + row.bias[output];
}

}  // namespace reference
}  // namespace evenkeel
#endif  // HWY_ONCE
