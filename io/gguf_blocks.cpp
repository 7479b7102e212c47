#include "io/gguf_blocks.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "io/floats.h"

namespace evenkeel {
namespace {

using Bytes = const std::uint8_t*;

float half_at(Bytes bytes) {
  return reference::decode_f16(static_cast<std::uint16_t>(bytes[0] | (bytes[1] << 8)));
}

float low(std::uint8_t byte) { return static_cast<float>(byte & 15); }
float high(std::uint8_t byte) { return static_cast<float>(byte >> 4); }

// 16 where bit `bit` of the bits at `bytes` is set.
float fifth(Bytes bytes, int bit) {
  return ((bytes[bit / 8] >> (bit % 8)) & 1) != 0 ? 16.0F : 0.0F;
}

void decode_q8_0(Bytes block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = d * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
  }
}

void decode_q4_0(Bytes block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (low(block[2 + i]) - 8.0F);
    out[16 + i] = d * (high(block[2 + i]) - 8.0F);
  }
}

void decode_q4_1(Bytes block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    const float first = d * low(block[4 + i]);
    const float second = d * high(block[4 + i]);
    out[i] = first + m;
    out[16 + i] = second + m;
  }
}

void decode_q5_0(Bytes block, float* out) {
  const float d = half_at(block);
  const Bytes fifths = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (low(block[6 + i]) + fifth(fifths, i) - 16.0F);
    out[16 + i] = d * (high(block[6 + i]) + fifth(fifths, 16 + i) - 16.0F);
  }
}

void decode_q5_1(Bytes block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const Bytes fifths = block + 4;
  for (int i = 0; i < 16; ++i) {
    const float first = d * (low(block[8 + i]) + fifth(fifths, i));
    const float second = d * (high(block[8 + i]) + fifth(fifths, 16 + i));
    out[i] = first + m;
    out[16 + i] = second + m;
  }
}

// Of group 0 .. 7: six bits each, the upper two of groups 4 .. 7 in the top bits of bytes 0 .. 7.
std::pair<float, float> scale_and_minimum(Bytes scales, int group) {
  if (group < 4) {
    return {static_cast<float>(scales[group] & 63), static_cast<float>(scales[group + 4] & 63)};
  }
  return {static_cast<float>((scales[group + 4] & 15) | ((scales[group - 4] >> 6) << 4)),
          static_cast<float>((scales[group + 4] >> 4) | ((scales[group] >> 6) << 4))};
}

// Q4_K, and Q5_K with the fifth bits: bit g of byte i is that of element i of group g.
void decode_k(Bytes block, Bytes fifths, Bytes nibbles, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, group);
    const float step = d * scale;
    const float below = m * minimum;
    const Bytes bytes = nibbles + std::ptrdiff_t{group / 2} * 32;
    for (int i = 0; i < 32; ++i) {
      float code = group % 2 == 0 ? low(bytes[i]) : high(bytes[i]);
      if (fifths != nullptr) code += fifth(fifths + i, group);
      const float product = step * code;
      out[group * 32 + i] = product - below;
    }
  }
}

void decode_q4_k(Bytes block, float* out) { decode_k(block, nullptr, block + 16, out); }
void decode_q5_k(Bytes block, float* out) { decode_k(block, block + 16, block + 48, out); }

// Each 64 bytes of nibbles and 32 of upper bits hold 128 elements: quarter k of 32 elements has the
// low (k < 2) or high nibbles of bytes 0 .. 31 (even k) or 32 .. 63, and bits 2k of the others.
void decode_q6_k(Bytes block, float* out) {
  const Bytes scales = block + 192;
  const float d = half_at(block + 208);
  for (int element = 0; element < 256; ++element) {
    const int half = element / 128;
    const int quarter = element % 128 / 32;
    const int i = element % 32;
    const std::uint8_t nibbles = block[half * 64 + quarter % 2 * 32 + i];
    const int upper = (block[128 + half * 32 + i] >> (2 * quarter)) & 3;
    const float code =
        (quarter < 2 ? low(nibbles) : high(nibbles)) + static_cast<float>(upper * 16);
    const float step = d * static_cast<float>(static_cast<std::int8_t>(scales[element / 16]));
    out[element] = step * (code - 32.0F);
  }
}

struct Entry {
  DType dtype;
  void (*decode)(Bytes block, float* out);
};

constexpr std::array table{Entry{DType::Q8_0, decode_q8_0}, Entry{DType::Q4_0, decode_q4_0},
                           Entry{DType::Q4_1, decode_q4_1}, Entry{DType::Q5_0, decode_q5_0},
                           Entry{DType::Q5_1, decode_q5_1}, Entry{DType::Q4_K, decode_q4_k},
                           Entry{DType::Q5_K, decode_q5_k}, Entry{DType::Q6_K, decode_q6_k}};

}  // namespace

void decode_blocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  const std::size_t elements = block_elements(dtype);
  const std::size_t size = block_bytes(dtype);
  assert(out.size() % elements == 0 && bytes.size() == out.size() / elements * size);
  for (const Entry& entry : table) {
    if (entry.dtype != dtype) continue;
    const auto* block = reinterpret_cast<Bytes>(bytes.data());
    for (std::size_t first = 0; first < out.size(); first += elements, block += size) {
      entry.decode(block, out.data() + first);
    }
    return;
  }
  assert(false);
}

}  // namespace evenkeel
