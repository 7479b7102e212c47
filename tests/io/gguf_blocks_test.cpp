#include "io/gguf_blocks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Block = std::vector<std::uint8_t>;

// binary16 numbers, low byte first.
constexpr std::array<std::uint8_t, 2> half_one{0x00, 0x3C};
constexpr std::array<std::uint8_t, 2> half_two{0x00, 0x40};
constexpr std::array<std::uint8_t, 2> minus_half{0x00, 0xB8};

std::vector<float> decoded(DType dtype, const Block& block, std::size_t blocks = 1) {
  std::vector<float> values(blocks * block_elements(dtype), -999.0F);
  decode_blocks(dtype, std::as_bytes(std::span(block)), values);
  return values;
}

Block zeros(DType dtype, std::size_t blocks = 1) { return Block(blocks * block_bytes(dtype)); }

void put(Block& block, std::size_t at, std::array<std::uint8_t, 2> half) {
  std::ranges::copy(half, block.begin() + static_cast<std::ptrdiff_t>(at));
}

TEST(GgufBlocks, Q8_0) {
  Block block = zeros(DType::Q8_0);
  put(block, 0, minus_half);
  block[2] = 1;
  block[3] = 0x80;   // -128
  block[33] = 0x7F;  // 127
  const auto values = decoded(DType::Q8_0, block);
  EXPECT_EQ(values[0], -0.5F);
  EXPECT_EQ(values[1], 64.0F);
  EXPECT_EQ(values[2], 0.0F);
  EXPECT_EQ(values[31], -63.5F);
}

TEST(GgufBlocks, Q4_0) {
  Block block = zeros(DType::Q4_0);
  put(block, 0, half_two);
  block[2] = 0xF0;   // element 0: 0, element 16: 15
  block[17] = 0x08;  // element 15: 8, element 31: 0
  const auto values = decoded(DType::Q4_0, block);
  EXPECT_EQ(values[0], -16.0F);
  EXPECT_EQ(values[16], 14.0F);
  EXPECT_EQ(values[15], 0.0F);
  EXPECT_EQ(values[31], -16.0F);
}

TEST(GgufBlocks, Q4_1) {
  Block block = zeros(DType::Q4_1);
  put(block, 0, half_two);
  put(block, 2, minus_half);
  block[4] = 0xF3;
  const auto values = decoded(DType::Q4_1, block);
  EXPECT_EQ(values[0], 5.5F);
  EXPECT_EQ(values[16], 29.5F);
  EXPECT_EQ(values[1], -0.5F);
}

TEST(GgufBlocks, Q5_0) {
  Block block = zeros(DType::Q5_0);
  put(block, 0, half_one);
  block[2] = 0x01;  // the fifth bit of element 0
  block[5] = 0x80;  // and of element 31
  block[6] = 0x21;
  block[21] = 0xF0;
  const auto values = decoded(DType::Q5_0, block);
  EXPECT_EQ(values[0], 1.0F);     // 16 + 1 - 16
  EXPECT_EQ(values[16], -14.0F);  // 2 - 16
  EXPECT_EQ(values[15], -16.0F);
  EXPECT_EQ(values[31], 15.0F);  // 16 + 15 - 16
}

TEST(GgufBlocks, Q5_1) {
  Block block = zeros(DType::Q5_1);
  put(block, 0, half_two);
  put(block, 2, half_one);
  block[6] = 0x01;  // the fifth bit of element 16
  block[8] = 0x31;
  const auto values = decoded(DType::Q5_1, block);
  EXPECT_EQ(values[0], 3.0F);    // 2 * 1 + 1
  EXPECT_EQ(values[16], 39.0F);  // 2 * 19 + 1
  EXPECT_EQ(values[1], 1.0F);
}

// Scales 1 .. 8 and minima 33 .. 40 for groups 0 .. 7, so that upper bits matter.
void put_scales(Block& block) {
  for (std::size_t group = 0; group < 4; ++group) {
    const std::size_t late = group + 4;
    const std::size_t scale = late + 1;
    const std::size_t minimum = late + 33;
    block[4 + group] = static_cast<std::uint8_t>((group + 1) | (scale >> 4U << 6U));
    block[8 + group] = static_cast<std::uint8_t>((group + 33) | (minimum >> 4U << 6U));
    block[12 + group] = static_cast<std::uint8_t>((scale & 15U) | ((minimum & 15U) << 4U));
  }
}

TEST(GgufBlocks, Q4_K) {
  Block block = zeros(DType::Q4_K);
  put(block, 0, half_two);
  put(block, 2, half_one);
  put_scales(block);
  block[16] = 0x73;                // groups 0 and 1, their first element
  block[16 + 3 * 32 + 31] = 0xF1;  // groups 6 and 7, their last
  const auto values = decoded(DType::Q4_K, block);
  EXPECT_EQ(values[0], 2.0F * 1 * 3 - 33);
  EXPECT_EQ(values[32], 2.0F * 2 * 7 - 34);
  EXPECT_EQ(values[1], -33.0F);
  EXPECT_EQ(values[4 * 32], -37.0F);
  EXPECT_EQ(values[6 * 32 + 31], 2.0F * 7 * 1 - 39);
  EXPECT_EQ(values[255], 2.0F * 8 * 15 - 40);
}

TEST(GgufBlocks, Q5_K) {
  Block block = zeros(DType::Q5_K);
  put(block, 0, half_one);
  put(block, 2, half_one);
  put_scales(block);
  block[16] = 0x02;       // the fifth bit of group 1's first element
  block[16 + 31] = 0x80;  // and of group 7's last
  block[48] = 0x73;
  block[48 + 3 * 32 + 31] = 0xF1;
  const auto values = decoded(DType::Q5_K, block);
  EXPECT_EQ(values[0], 1.0F * 3 - 33);
  EXPECT_EQ(values[32], 2.0F * (7 + 16) - 34);
  EXPECT_EQ(values[6 * 32 + 31], 7.0F * 1 - 39);
  EXPECT_EQ(values[255], 8.0F * (15 + 16) - 40);
}

TEST(GgufBlocks, Q6_K) {
  Block block = zeros(DType::Q6_K);
  put(block, 208, half_two);
  for (std::size_t group = 0; group < 16; ++group) {
    block[192 + group] = static_cast<std::uint8_t>(group < 8 ? group + 1 : 256 - group);
  }
  block[0] = 0x21;         // elements 0 and 64
  block[32] = 0x43;        // elements 32 and 96
  block[64 + 63] = 0xF0;   // elements 191 and 255
  block[128] = 0xE4;       // upper bits 0, 1, 2, 3 of elements 0, 32, 64, 96
  block[128 + 63] = 0xC0;  // 3 of element 255
  const auto values = decoded(DType::Q6_K, block);
  EXPECT_EQ(values[0], 2.0F * 1 * (1 - 32));
  EXPECT_EQ(values[32], 2.0F * 3 * (3 + 16 - 32));
  EXPECT_EQ(values[64], 2.0F * 5 * (2 + 32 - 32));
  EXPECT_EQ(values[96], 2.0F * 7 * (4 + 48 - 32));
  EXPECT_EQ(values[191], 2.0F * -11 * (0 - 32));
  EXPECT_EQ(values[255], 2.0F * -15 * (15 + 48 - 32));
}

TEST(GgufBlocks, EveryTypeDecodesZerosAndOneBlockAfterAnother) {
  for (const DType dtype : {DType::Q8_0, DType::Q4_0, DType::Q4_1, DType::Q5_0, DType::Q5_1,
                            DType::Q4_K, DType::Q5_K, DType::Q6_K}) {
    SCOPED_TRACE(name_of(dtype));
    const auto nothing = decoded(dtype, zeros(dtype));
    EXPECT_TRUE(std::ranges::all_of(nothing, [](float value) { return value == 0.0F; }));
    Block block(block_bytes(dtype));
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::uint8_t>(i + 1);
    Block two = zeros(dtype);
    two.insert(two.end(), block.begin(), block.end());
    const auto both = decoded(dtype, two, 2);
    const auto elements = static_cast<std::ptrdiff_t>(block_elements(dtype));
    EXPECT_TRUE(std::equal(both.begin(), both.begin() + elements, nothing.begin()));
    EXPECT_EQ(std::vector(both.begin() + elements, both.end()), decoded(dtype, block));
  }
}

}  // namespace
}  // namespace evenkeel
