// Conversion between float and the 16-bit storage formats, with Highway.
//
// F16 is IEEE binary16, BF16 the upper half of binary32. Decoding is exact; encoding rounds half to
// even. Both keep NaN (sign and upper payload bits; encoding makes it quiet) and infinity, and give
// the same bits on every machine. Encoding a finite float beyond the format's range gives infinity;
// callers that must not lose a value check with `first_not_representable`.
// Thread-safe: pure functions on caller-owned memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "io/dtype.h"

namespace evenkeel {

/// Decodes little-endian elements of `dtype` (F32, F16, BF16; any alignment) into `out`.
/// REQUIRES: bytes.size() == out.size() * size_of(dtype), is_float(dtype).
void decode_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

/// Encodes `values` as little-endian elements of `dtype` (F32, F16, BF16; any alignment).
/// REQUIRES: bytes.size() == values.size() * size_of(dtype), is_float(dtype).
void encode_floats(DType dtype, std::span<const float> values, std::span<std::byte> bytes);

/// Position of the first NaN or infinity, if any.
std::optional<std::size_t> first_not_finite(std::span<const float> values);

/// Position of the first finite value that `dtype` would turn into infinity, if any.
std::optional<std::size_t> first_not_representable(DType dtype, std::span<const float> values);

// One element, in plain integer arithmetic: the ends of a span that fill no vector, and what
// tests compare the vectors with.
namespace reference {
float decode_f16(std::uint16_t bits);
float decode_bf16(std::uint16_t bits);
std::uint16_t encode_f16(float value);
std::uint16_t encode_bf16(float value);
}  // namespace reference

}  // namespace evenkeel
