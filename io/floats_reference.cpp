#include <bit>

#include "io/floats.h"

namespace evenkeel::reference {
namespace {

constexpr std::uint32_t magnitude_bits = 0x7fffffff;
constexpr std::uint32_t infinity_bits = 0x7f800000;

// Without its lowest `shift` bits, half to even.
std::uint32_t drop_bits(std::uint32_t value, unsigned shift) {
  const std::uint32_t kept = value >> shift;
  const std::uint32_t dropped = value & ((1U << shift) - 1);
  const std::uint32_t half = 1U << (shift - 1);
  const bool up = dropped > half || (dropped == half && (kept & 1) != 0);
  return kept + (up ? 1 : 0);
}

}  // namespace

float decode_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fU;
  const std::uint32_t mantissa = bits & 0x03ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign == 0 ? magnitude : -magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

float decode_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t encode_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & magnitude_bits;
  const auto exponent = static_cast<int>(magnitude >> 23) - 127;
  std::uint32_t half = 0;
  if (magnitude > infinity_bits) {
    half = 0x7e00U | ((magnitude >> 13) & 0x01ffU);
  } else if (exponent > 15) {
    half = 0x7c00U;
  } else if (exponent >= -14) {
    half = drop_bits(magnitude - (112U << 23), 13);
  } else if (exponent >= -25) {
    const std::uint32_t mantissa = (magnitude & 0x7fffffU) | 0x800000U;
    half = drop_bits(mantissa, static_cast<unsigned>(-exponent - 1));
  }
  return static_cast<std::uint16_t>(sign | half);
}

std::uint16_t encode_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & magnitude_bits) > infinity_bits) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  }
  return static_cast<std::uint16_t>(drop_bits(bits, 16));
}

}  // namespace evenkeel::reference
