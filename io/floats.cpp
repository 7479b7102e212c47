// This file is compiled once for each instruction set (foreach_target includes it again).
#include "io/floats.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "io/floats.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

static_assert(std::endian::native == std::endian::little, "stored elements are little-endian");

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Float = hn::ScalableTag<float>;
using Int = hn::RebindToSigned<Float>;
using Half = hn::Rebind<std::uint16_t, Float>;
using FloatVector = hn::Vec<Float>;
using IntVector = hn::Vec<Int>;

// Stored elements may be at any address; the copy through a buffer compiles to one move.
IntVector load_halves(const std::byte* bytes) {
  HWY_ALIGN std::array<std::uint16_t, hn::MaxLanes(Half())> buffer;
  std::memcpy(buffer.data(), bytes, hn::Lanes(Half()) * sizeof(std::uint16_t));
  const hn::RebindToUnsigned<Int> unsigned_tag;
  return hn::BitCast(Int(), hn::PromoteTo(unsigned_tag, hn::Load(Half(), buffer.data())));
}

// REQUIRES: values in [0, 65535].
void store_halves(IntVector values, std::byte* bytes) {
  HWY_ALIGN std::array<std::uint16_t, hn::MaxLanes(Half())> buffer;
  hn::Store(hn::DemoteTo(Half(), values), Half(), buffer.data());
  std::memcpy(bytes, buffer.data(), hn::Lanes(Half()) * sizeof(std::uint16_t));
}

struct F16 {
  static FloatVector decode(IntVector half) {
    const Int tag;
    const auto magnitude = hn::And(half, hn::Set(tag, 0x7fff));
    const auto sign = hn::ShiftLeft<16>(hn::Xor(half, magnitude));
    // The exponent's bias is 15 there, 127 here; NaN and infinity keep the largest exponent.
    const auto rebias = hn::Set(tag, 112 << 23);
    const auto normal = hn::Add(hn::ShiftLeft<13>(magnitude), rebias);
    const auto special = hn::Add(normal, rebias);
    const auto subnormal =
        hn::BitCast(tag, hn::Mul(hn::ConvertTo(Float(), magnitude), hn::Set(Float(), 0x1p-24F)));
    auto bits = hn::IfThenElse(hn::Gt(magnitude, hn::Set(tag, 0x7bff)), special, normal);
    bits = hn::IfThenElse(hn::Lt(magnitude, hn::Set(tag, 0x0400)), subnormal, bits);
    return hn::BitCast(Float(), hn::Or(bits, sign));
  }

  static IntVector encode(FloatVector value) {
    const Int tag;
    const auto bits = hn::BitCast(tag, value);
    const auto magnitude = hn::And(bits, hn::Set(tag, 0x7fffffff));
    const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(tag, 0x8000));
    const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(tag, 1));
    // Adding half a unit less one, and one more where the result would be odd, rounds half to
    // even; a carry out of the mantissa gives the next exponent, or infinity, as it should.
    const auto normal =
        hn::ShiftRight<13>(hn::Add(hn::Add(magnitude, odd), hn::Set(tag, 0x0fff - (112 << 23))));
    // In [0.5, 1) a unit of float is 2^-24, the smallest half: the addition rounds for us.
    const auto half = hn::Set(Float(), 0.5F);
    const auto subnormal = hn::Sub(hn::BitCast(tag, hn::Add(hn::BitCast(Float(), magnitude), half)),
                                   hn::BitCast(tag, half));
    const auto infinity = hn::Set(tag, 0x7c00);
    const auto quiet = hn::Set(tag, 0x7e00);
    const auto payload = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(tag, 0x01ff));
    auto result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(tag, 0x38800000)), subnormal, normal);
    result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(tag, 0x477fffff)), infinity, result);
    result =
        hn::IfThenElse(hn::Gt(magnitude, hn::Set(tag, 0x7f800000)), hn::Or(quiet, payload), result);
    return hn::Or(result, sign);
  }
};

struct BF16 {
  static FloatVector decode(IntVector half) {
    return hn::BitCast(Float(), hn::ShiftLeft<16>(half));
  }

  static IntVector encode(FloatVector value) {
    const Int tag;
    const auto bits = hn::BitCast(tag, value);
    const auto magnitude = hn::And(bits, hn::Set(tag, 0x7fffffff));
    const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(tag, 0x8000));
    const auto truncated = hn::ShiftRight<16>(magnitude);
    const auto odd = hn::And(truncated, hn::Set(tag, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(magnitude, odd), hn::Set(tag, 0x7fff)));
    const auto quiet = hn::Or(truncated, hn::Set(tag, 0x0040));
    const auto result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(tag, 0x7f800000)), quiet, rounded);
    return hn::Or(result, sign);
  }
};

// Converts whole vectors and says how many elements that were.
template <class Format>
std::size_t decode(const std::byte* bytes, std::size_t count, float* out) {
  const std::size_t lanes = hn::Lanes(Float());
  std::size_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    hn::StoreU(Format::decode(load_halves(bytes + 2 * done)), Float(), out + done);
  }
  return done;
}

template <class Format>
std::size_t encode(const float* values, std::size_t count, std::byte* bytes) {
  const std::size_t lanes = hn::Lanes(Float());
  std::size_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    store_halves(Format::encode(hn::LoadU(Float(), values + done)), bytes + 2 * done);
  }
  return done;
}

std::size_t decode_f16(const std::byte* bytes, std::size_t count, float* out) {
  return decode<F16>(bytes, count, out);
}
std::size_t decode_bf16(const std::byte* bytes, std::size_t count, float* out) {
  return decode<BF16>(bytes, count, out);
}
std::size_t encode_f16(const float* values, std::size_t count, std::byte* bytes) {
  return encode<F16>(values, count, bytes);
}
std::size_t encode_bf16(const float* values, std::size_t count, std::byte* bytes) {
  return encode<BF16>(values, count, bytes);
}

// The first element of the whole vectors whose magnitude, as bits, is in [low, high], or how many
// elements these vectors hold.
std::size_t find_magnitude(const float* values, std::size_t count, std::int32_t low,
                           std::int32_t high) {
  const Int tag;
  const std::size_t lanes = hn::Lanes(tag);
  std::size_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    const auto bits = hn::BitCast(tag, hn::LoadU(Float(), values + done));
    const auto magnitude = hn::And(bits, hn::Set(tag, 0x7fffffff));
    const auto inside =
        hn::AndNot(hn::Gt(magnitude, hn::Set(tag, high)), hn::Gt(magnitude, hn::Set(tag, low - 1)));
    const auto lane = hn::FindFirstTrue(tag, inside);
    if (lane >= 0) return done + static_cast<std::size_t>(lane);
  }
  return done;
}

}  // namespace
}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {
namespace {

HWY_EXPORT(decode_f16);
HWY_EXPORT(decode_bf16);
HWY_EXPORT(encode_f16);
HWY_EXPORT(encode_bf16);
HWY_EXPORT(find_magnitude);

constexpr std::uint32_t magnitude_bits = 0x7fffffff;
constexpr std::int32_t infinity_bits = 0x7f800000;

std::uint16_t load_half(const std::byte* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof(half));
  return half;
}

void store_half(std::uint16_t half, std::byte* bytes) { std::memcpy(bytes, &half, sizeof(half)); }

std::optional<std::size_t> first_with_magnitude(std::span<const float> values, std::int32_t low,
                                                std::int32_t high) {
  const auto start = HWY_DYNAMIC_DISPATCH(find_magnitude)(values.data(), values.size(), low, high);
  for (std::size_t i = start; i < values.size(); ++i) {
    const auto magnitude =
        static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(values[i]) & magnitude_bits);
    if (magnitude >= low && magnitude <= high) return i;
  }
  return std::nullopt;
}

}  // namespace

void decode_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  assert(is_float(dtype) && bytes.size() == out.size() * size_of(dtype));
  if (out.empty()) return;
  if (dtype == DType::F32) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return;
  }
  const bool f16 = dtype == DType::F16;
  const std::size_t done =
      f16 ? HWY_DYNAMIC_DISPATCH(decode_f16)(bytes.data(), out.size(), out.data())
          : HWY_DYNAMIC_DISPATCH(decode_bf16)(bytes.data(), out.size(), out.data());
  for (std::size_t i = done; i < out.size(); ++i) {
    const std::uint16_t half = load_half(&bytes[2 * i]);
    out[i] = f16 ? reference::decode_f16(half) : reference::decode_bf16(half);
  }
}

void encode_floats(DType dtype, std::span<const float> values, std::span<std::byte> bytes) {
  assert(is_float(dtype) && bytes.size() == values.size() * size_of(dtype));
  if (values.empty()) return;
  if (dtype == DType::F32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return;
  }
  const bool f16 = dtype == DType::F16;
  const std::size_t done =
      f16 ? HWY_DYNAMIC_DISPATCH(encode_f16)(values.data(), values.size(), bytes.data())
          : HWY_DYNAMIC_DISPATCH(encode_bf16)(values.data(), values.size(), bytes.data());
  for (std::size_t i = done; i < values.size(); ++i) {
    const float value = values[i];
    store_half(f16 ? reference::encode_f16(value) : reference::encode_bf16(value), &bytes[2 * i]);
  }
}

std::optional<std::size_t> first_not_finite(std::span<const float> values) {
  return first_with_magnitude(values, infinity_bits, static_cast<std::int32_t>(magnitude_bits));
}

std::optional<std::size_t> first_not_representable(DType dtype, std::span<const float> values) {
  assert(is_float(dtype));
  if (dtype == DType::F32) return std::nullopt;
  // Halfway from the largest finite value to the next power of two; even is the power of two.
  const float limit = dtype == DType::F16 ? 65520.0F : 0x1.FFp127F;
  return first_with_magnitude(values, std::bit_cast<std::int32_t>(limit), infinity_bits - 1);
}

}  // namespace evenkeel
#endif
