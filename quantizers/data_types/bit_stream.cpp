#include "quantizers/data_types/bit_stream.h"

#include <algorithm>
#include <cassert>

namespace evenkeel {
namespace {

// Eight codes take as many bytes as a code has bits.
constexpr std::size_t at_once = 8;

}  // namespace

std::size_t bit_stream_bytes(std::size_t codes, int bits) {
  const auto width = static_cast<std::size_t>(bits);
  return codes / at_once * width + (codes % at_once * width + 7) / 8;
}

std::vector<std::byte> pack_bits(std::span<const std::int16_t> codes, int bits) {
  assert(bits >= 1 && bits <= 8);
  const auto width = static_cast<unsigned>(bits);
  std::vector<std::byte> bytes(bit_stream_bytes(codes.size(), bits));
  std::size_t to = 0;
  for (std::size_t first = 0; first < codes.size(); first += at_once) {
    const std::size_t count = std::min(at_once, codes.size() - first);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i) {
      word |= static_cast<std::uint64_t>(codes[first + i]) << (i * width);
    }
    const std::size_t end = std::min(bytes.size(), to + width);
    for (; to < end; ++to, word >>= 8U) bytes[to] = static_cast<std::byte>(word & 0xFFU);
  }
  return bytes;
}

std::optional<std::vector<std::int16_t>> unpack_bits(std::span<const std::byte> bytes,
                                                     std::size_t codes, int bits) {
  assert(bits >= 1 && bits <= 8 && bytes.size() == bit_stream_bytes(codes, bits));
  const auto width = static_cast<unsigned>(bits);
  const std::uint64_t mask = (1U << width) - 1;
  std::vector<std::int16_t> result(codes);
  std::size_t from = 0;
  for (std::size_t first = 0; first < codes; first += at_once) {
    const std::size_t count = std::min(at_once, codes - first);
    const std::size_t end = std::min(bytes.size(), from + width);
    std::uint64_t word = 0;
    for (unsigned place = 0; from < end; ++from, place += 8) {
      word |= std::to_integer<std::uint64_t>(bytes[from]) << place;
    }
    for (std::size_t i = 0; i < count; ++i, word >>= width) {
      result[first + i] = static_cast<std::int16_t>(word & mask);
    }
    if (word != 0) return std::nullopt;
  }
  return result;
}

}  // namespace evenkeel
