#include "quantizers/byte_kernels.h"

#include <cassert>
#include <cstddef>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantizers/byte_kernels.cpp"
// The order matters to Highway.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "quantizers/affine_codes-inl.h"
// clang-format on

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
  const auto inverse = hn::Set(d, 1.0F / parameters.step);
  const auto zero = hn::Set(d, static_cast<float>(parameters.zero_point));
  const auto low = hn::Set(d, static_cast<float>(range.low));
  const auto high = hn::Set(d, static_cast<float>(range.high));
  const auto start = hn::Set(integers, offset);
  auto total = hn::Zero(integers);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto rounded = rounded_quotient(d, hn::LoadU(d, values + i), step, inverse);
    const auto code = code_of_rounded(rounded, zero, low, high);
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
std::size_t scaled_range_part(D d, const float* values, const float* factors, std::size_t i,
                              std::size_t size, float* out, Range& range, bool& has_nan) {
  auto low = hn::Set(d, range.low);
  auto high = hn::Set(d, range.high);
  auto nan = hn::IsNaN(hn::Zero(d));
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto value = hn::Mul(hn::LoadU(d, values + i), hn::LoadU(d, factors + i));
    hn::StoreU(value, d, out + i);
    nan = hn::Or(nan, hn::IsNaN(value));
    low = hn::Min(low, value);
    high = hn::Max(high, value);
  }
  range = {hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
  has_nan = has_nan || !hn::AllFalse(d, nan);
  return i;
}

Range scaled_range_all(const float* values, const float* factors, std::size_t size, float* out) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  Range range{infinity, -infinity};
  bool has_nan = false;
  const std::size_t done = scaled_range_part(Wide(), values, factors, 0, size, out, range, has_nan);
  scaled_range_part(Single(), values, factors, done, size, out, range, has_nan);
  return has_nan ? Range{none, none} : range;
}

template <class D>
std::size_t quotients_part(D d, const float* values, const float* divisors, std::size_t i,
                           std::size_t size, float* out) {
  const auto one = hn::Set(d, 1.0F);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, values + i);
    const auto divisor = hn::LoadU(d, divisors + i);
    // Of a search's scales most are one, and a division takes long.
    const bool plain = hn::AllTrue(d, hn::Eq(divisor, one));
    hn::StoreU(plain ? value : hn::Div(value, divisor), d, out + i);
  }
  return i;
}

void quotients_all(const float* values, const float* divisors, std::size_t size, float* out) {
  const std::size_t done = quotients_part(Wide(), values, divisors, 0, size, out);
  quotients_part(Single(), values, divisors, done, size, out);
}

template <class D>
std::size_t output_terms_part(D d, const InputTerms& x, const WeightTerms& w, std::size_t i,
                              std::size_t size, float* factors, std::int32_t* offsets) {
  const hn::RebindToSigned<D> integers;
  const auto step = hn::Set(d, x.step);
  const auto zero = hn::Set(integers, x.zero_point);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(step, hn::LoadU(d, w.steps.data() + i)), d, factors + i);
    hn::StoreU(hn::Mul(zero, hn::LoadU(integers, w.terms.data() + i)), integers, offsets + i);
  }
  return i;
}

void output_terms_all(const InputTerms& x, const WeightTerms& w, std::size_t size, float* factors,
                      std::int32_t* offsets) {
  const std::size_t done = output_terms_part(Wide(), x, w, 0, size, factors, offsets);
  output_terms_part(Single(), x, w, done, size, factors, offsets);
}

template <class D>
std::size_t values_of_sums_part(D d, const CodeSums& row, std::size_t i, std::size_t size,
                                float* out) {
  const hn::RebindToSigned<D> integers;
  const auto sum = hn::Set(integers, row.sum);
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    // Terms may wrap around; what they add up to does not.
    auto exact = hn::Sub(hn::LoadU(integers, row.sums.data() + i),
                         hn::LoadU(integers, row.offsets.data() + i));
    if (!row.zeros.empty()) {
      exact = hn::Sub(exact, hn::Mul(hn::LoadU(integers, row.zeros.data() + i), sum));
    }
    auto value = hn::Mul(hn::LoadU(d, row.factors.data() + i), hn::ConvertTo(d, exact));
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
HWY_EXPORT(scaled_range_all);
HWY_EXPORT(quotients_all);
HWY_EXPORT(output_terms_all);
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

Range scaled_range(std::span<const float> values, std::span<const float> factors,
                   std::span<float> out) {
  assert(!out.empty() && values.size() == out.size() && factors.size() == out.size());
  return HWY_DYNAMIC_DISPATCH(scaled_range_all)(values.data(), factors.data(), out.size(),
                                                out.data());
}

void quotients(std::span<const float> values, std::span<const float> divisors,
               std::span<float> out) {
  assert(values.size() == out.size() && divisors.size() == out.size());
  HWY_DYNAMIC_DISPATCH(quotients_all)(values.data(), divisors.data(), out.size(), out.data());
}

void output_terms(const InputTerms& x, const WeightTerms& w, std::span<float> factors,
                  std::span<std::int32_t> offsets) {
  assert(w.steps.size() == factors.size() && w.terms.size() == factors.size());
  assert(offsets.size() == factors.size());
  HWY_DYNAMIC_DISPATCH(output_terms_all)(x, w, factors.size(), factors.data(), offsets.data());
}

void values_of_sums(const CodeSums& row, std::span<float> out) {
  assert(row.sums.size() == out.size() && row.factors.size() == out.size());
  assert(row.offsets.size() == out.size());
  assert(row.zeros.empty() || row.zeros.size() == out.size());
  assert(row.bias.empty() || row.bias.size() == out.size());
  HWY_DYNAMIC_DISPATCH(values_of_sums_all)(row, out.size(), out.data());
}

namespace reference {

float value_of_sum(std::int32_t product, const InputTerms& x, std::int32_t sum, float step,
                   std::int32_t zero, std::int32_t term) {
  const std::int64_t exact =
      std::int64_t{product} - std::int64_t{zero} * sum - std::int64_t{term} * x.zero_point;
  return x.step * step * static_cast<float>(exact);
}

}  // namespace reference
}  // namespace evenkeel
#endif  // HWY_ONCE
