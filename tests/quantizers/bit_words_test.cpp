#include "quantizers/bit_words.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(BitWords, TakeWholeWords) {
  EXPECT_EQ(words_of(0, 4), 0U);
  EXPECT_EQ(words_of(1, 4), 1U);
  EXPECT_EQ(words_of(8, 4), 1U);
  EXPECT_EQ(words_of(9, 4), 2U);
  EXPECT_EQ(words_of(32, 3), 3U);
  EXPECT_EQ(words_of(11, 3), 2U);
}

TEST(BitWords, PutTheFirstNumberLowest) {
  std::vector<std::byte> run(8);
  for (unsigned i = 0; i < 9; ++i) put_bits(run, i, 4, i + 1);
  // 0x87654321 and 0x00000009, little-endian.
  const std::vector<std::byte> expected{std::byte{0x21}, std::byte{0x43}, std::byte{0x65},
                                        std::byte{0x87}, std::byte{0x09}, std::byte{0},
                                        std::byte{0},    std::byte{0}};
  EXPECT_EQ(run, expected);
}

TEST(BitWords, GoOnAcrossBytesAndWords) {
  // 3 bits each: 7, 0, 7 puts 0b111 at bits 0 and 6: 0b1'1100'0111 = 0x1C7.
  std::vector<std::byte> run(8);
  put_bits(run, 0, 3, 7);
  put_bits(run, 2, 3, 7);
  EXPECT_EQ(run[0], std::byte{0xC7});
  EXPECT_EQ(run[1], std::byte{0x01});
  // Number 10 takes bits 30 .. 32: two in the first word, one in the second.
  put_bits(run, 10, 3, 7);
  EXPECT_EQ(run[3], std::byte{0xC0});
  EXPECT_EQ(run[4], std::byte{0x01});
}

TEST(BitWords, ReadBackAtEveryWidth) {
  for (int bits = 1; bits <= 8; ++bits) {
    constexpr std::size_t count = 75;
    const unsigned numbers = 1U << static_cast<unsigned>(bits);
    std::vector<std::byte> run(words_of(count, bits) * 4);
    for (std::size_t i = 0; i < count; ++i) {
      put_bits(run, i, bits, static_cast<unsigned>(i * 37) % numbers);
    }
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(bits_at(run, i, bits), static_cast<unsigned>(i * 37) % numbers) << bits;
    }
  }
}

}  // namespace
}  // namespace evenkeel
