// The block types of GGUF as floats.
//
// A block holds 32 or, with a K in its name, 256 consecutive elements of a row. All numbers are
// little-endian, d and m are binary16. An element is, with q its unsigned code:
//
//   type  bytes  layout                              element
//   Q8_0     34  d, q[32] signed bytes               d q
//   Q4_0     18  d, nibbles[16]                      d (q - 8)
//   Q4_1     20  d, m, nibbles[16]                   d q + m
//   Q5_0     22  d, fifth bits[4], nibbles[16]       d (q - 16)
//   Q5_1     24  d, m, fifth bits[4], nibbles[16]    d q + m
//   Q4_K    144  d, m, scales[12], nibbles[128]      d s q - m t, for groups of 32 elements
//   Q5_K    176  d, m, scales[12], fifth bits[32], nibbles[128]   the same
//   Q6_K    210  nibbles[128], upper bits[64], scales[16], d      d s (q - 32), groups of 16
//
// In blocks of 32 the low nibbles are elements 0 .. 15, the high ones 16 .. 31. In blocks of 256
// 32 bytes of nibbles hold 64 elements likewise (Q6_K: 64 bytes hold 128). s and t are 6 bits each,
// packed as `scale_and_minimum` in the source says; those of Q6_K are signed bytes.
#pragma once

#include <cstddef>
#include <span>

#include "io/dtype.h"

namespace evenkeel {

/// Decodes whole blocks of `dtype`, rounding each product and each sum to float once, as the
/// format's own library does. Thread-safe; any alignment.
/// REQUIRES: block_elements(dtype) > 1 divides out.size(), and bytes are those of so many blocks.
void decode_blocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace evenkeel
