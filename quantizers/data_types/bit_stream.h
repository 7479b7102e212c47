// Codes of k bits one behind the other: what weights of a code book are stored as.
//
// Code i takes bits i * k .. i * k + k - 1 of the stream, lowest first; bit j is bit j % 8 of byte
// j / 8. The bits left over in the last byte are 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace evenkeel {

/// Bytes of so many codes. REQUIRES: 1 <= bits <= 8.
std::size_t bit_stream_bytes(std::size_t codes, int bits);

/// REQUIRES: codes from 0, below 2^bits.
std::vector<std::byte> pack_bits(std::span<const std::int16_t> codes, int bits);

/// The inverse; nothing when a bit that belongs to no code is set.
/// REQUIRES: bytes.size() == bit_stream_bytes(codes, bits).
std::optional<std::vector<std::int16_t>> unpack_bits(std::span<const std::byte> bytes,
                                                     std::size_t codes, int bits);

}  // namespace evenkeel
