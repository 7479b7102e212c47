// The vectorised half of code_book.h, compiled once for each instruction set and chosen at run
// time.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quantizers/data_types/code_book.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantizers/data_types/code_book_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The values of most books of 4 bits and fewer fit a vector of this many lanes. Where vectors are
// shorter, so many are compared with all thresholds, of which those beyond the last are infinite.
constexpr std::size_t few = 16;

// table[index] of each lane; `is_few`: no index is beyond the few first.
template <bool is_few, class D, class I>
HWY_INLINE hn::Vec<D> lookup(D d, const float* table, I index) {
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  if constexpr (is_few && hn::MaxLanes(D()) == few) {
    return hn::TableLookupLanes(hn::LoadU(d, table), hn::IndicesFromVec(d, index));
  }
#endif
  return hn::GatherIndex(d, table, index);
}

struct Book {
  const float* values;
  const float* thresholds;
  std::size_t size;
};

// How many thresholds (but the first) lie below y.
template <bool is_few, class D>
HWY_INLINE hn::VFromD<hn::RebindToSigned<D>> position_of(D d, hn::Vec<D> y, const Book& book) {
  const hn::RebindToSigned<D> integers;
  auto position = hn::Zero(integers);
  if constexpr (is_few && hn::MaxLanes(D()) < few) {
    const auto one = hn::Set(integers, 1);
    HWY_UNROLL(15)
    for (std::size_t i = 1; i < few; ++i) {
      const auto above = hn::RebindMask(integers, hn::Gt(y, hn::Set(d, book.thresholds[i])));
      position = hn::Add(position, hn::IfThenElseZero(above, one));
    }
    return position;
  }
  for (std::int32_t step = is_few ? few / 2 : 128; step > 0; step /= 2) {
    const auto further = hn::Add(position, hn::Set(integers, step));
    const auto threshold = lookup<is_few>(d, book.thresholds, further);
    const auto above = hn::RebindMask(integers, hn::Gt(y, threshold));
    position = hn::IfThenElse(above, further, position);
  }
  return position;
}

// Where y lies so near to a threshold that rounding may have put it on the wrong side. The products
// of value, constant and inverse are each off by 2^-24 of themselves, all in all by less than
// 2^-21 of a threshold, which is at least half as large as the larger of its neighbours; but by
// more where they are denormal, which takes values nearer to 0 than 2^-60.
template <bool is_few, class D, class I>
HWY_INLINE bool is_close(D d, hn::Vec<D> y, I position, const Book& book) {
  const auto share = hn::Set(d, 0x1p-20F);
  const auto least = hn::Set(d, 0x1p-60F);
  const auto near = [&](auto threshold) {
    const auto margin = hn::Max(least, hn::Mul(share, hn::Abs(threshold)));
    return hn::Le(hn::Abs(hn::Sub(y, threshold)), margin);
  };
  const auto below = lookup<is_few>(d, book.thresholds, position);
  const auto above = lookup<is_few>(d, book.thresholds + 1, position);
  // Beyond the last ones there are infinities, which are near to nothing.
  const auto finite_below = hn::IfThenElse(hn::IsInf(below), hn::Set(d, 4.0F), below);
  const auto finite_above = hn::IfThenElse(hn::IsInf(above), hn::Set(d, 4.0F), above);
  return !hn::AllFalse(d, hn::Or(near(finite_below), near(finite_above)));
}

template <bool is_few, class D>
std::size_t encode_part(D d, const float* x, std::size_t i, std::size_t size, float absmax,
                        float inverse, const Book& book, std::uint8_t* codes) {
  const hn::Rebind<std::uint8_t, D> bytes;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto y = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inverse));
    const auto position = position_of<is_few>(d, y, book);
    hn::StoreU(hn::DemoteTo(bytes, position), bytes, codes + i);
    if (HWY_LIKELY(!is_close<is_few>(d, y, position, book))) continue;
    for (std::size_t j = i; j < i + hn::Lanes(d); ++j) {
      codes[j] = reference::nearest_code({book.values, book.size}, absmax, x[j]);
    }
  }
  return i;
}

void encode_all(const float* x, std::size_t size, float absmax, const float* values,
                const float* thresholds, std::size_t book_size, std::uint8_t* codes) {
  const Book book{values, thresholds, book_size};
  const float inverse = 1.0F / absmax;
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  if (book_size <= few) {
    const std::size_t done = encode_part<true>(d, x, 0, size, absmax, inverse, book, codes);
    encode_part<true>(one, x, done, size, absmax, inverse, book, codes);
  } else {
    const std::size_t done = encode_part<false>(d, x, 0, size, absmax, inverse, book, codes);
    encode_part<false>(one, x, done, size, absmax, inverse, book, codes);
  }
}

float largest_all(const float* values, std::size_t size) {
  const hn::ScalableTag<float> d;
  auto most = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    most = hn::Max(most, hn::Abs(hn::LoadU(d, values + i)));
  }
  float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < size; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

template <bool is_few, class D>
std::size_t decode_part(D d, const std::uint8_t* codes, std::size_t i, std::size_t size,
                        const float* values, float absmax, float* out) {
  const hn::Rebind<std::uint8_t, D> bytes;
  const hn::RebindToSigned<D> integers;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto position = hn::PromoteTo(integers, hn::LoadU(bytes, codes + i));
    hn::StoreU(hn::Mul(lookup<is_few>(d, values, position), hn::Set(d, absmax)), d, out + i);
  }
  return i;
}

void decode_all(const std::uint8_t* codes, std::size_t size, const float* values,
                std::size_t book_size, float absmax, float* out) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const std::size_t done = book_size <= few
                               ? decode_part<true>(d, codes, 0, size, values, absmax, out)
                               : decode_part<false>(d, codes, 0, size, values, absmax, out);
  decode_part<false>(one, codes, done, size, values, absmax, out);
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(encode_all);
HWY_EXPORT(decode_all);
HWY_EXPORT(largest_all);

void CodeBook::encode(std::span<const float> x, float absmax, std::span<std::uint8_t> codes) const {
  // Below it products of constants and values of 2^-60 are denormal, and their rounding is coarse.
  constexpr float least_absmax = 0x1p-60F;
  if (absmax < least_absmax || absmax > 1.0F / least_absmax) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      codes[i] = reference::nearest_code(values(), absmax, x[i]);
    }
    return;
  }
  HWY_DYNAMIC_DISPATCH(encode_all)
  (x.data(), x.size(), absmax, values_.data(), thresholds_.data(), size_, codes.data());
}

float largest_magnitude(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(largest_all)(values.data(), values.size());
}

void CodeBook::decode(std::span<const std::uint8_t> codes, float absmax, float mean,
                      std::span<float> out) const {
  HWY_DYNAMIC_DISPATCH(decode_all)
  (codes.data(), codes.size(), values_.data(), size_, absmax, out.data());
  // Here, and not there: compilers fuse a product and a sum where the machine can, and would round
  // once in place of twice.
  if (mean == 0.0F) return;
  for (float& value : out) value += mean;
}

}  // namespace evenkeel
#endif  // HWY_ONCE
