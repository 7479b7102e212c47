#include "quantizers/data_types/bit_stream.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Numbers = std::vector<std::int16_t>;

Numbers random_codes(std::size_t count, int bits, std::uint32_t seed) {
  std::mt19937 random(seed);
  Numbers codes(count);
  for (auto& code : codes) code = static_cast<std::int16_t>(random() & ((1U << bits) - 1U));
  return codes;
}

TEST(BitStream, ThreeBitsByHand) {
  // From the last code to the first 101 000 111 010 011 001: bytes are cut from the right.
  EXPECT_EQ(pack_bits(Numbers{1, 3, 2, 7, 0, 5}, 3),
            (std::vector<std::byte>{std::byte{0b10011001}, std::byte{0b10001110},
                                    std::byte{0b00000010}}));
  // The ninth code begins the fourth byte.
  EXPECT_EQ(pack_bits(Numbers{0, 0, 0, 0, 0, 0, 0, 4, 6}, 3),
            (std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{0x80}, std::byte{6}}));
}

TEST(BitStream, FourBitsAreLowHalfFirstAndEightBitsBytes) {
  EXPECT_EQ(pack_bits(Numbers{1, 2, 15}, 4),
            (std::vector<std::byte>{std::byte{0x21}, std::byte{0x0F}}));
  EXPECT_EQ(pack_bits(Numbers{200, 7}, 8), (std::vector<std::byte>{std::byte{200}, std::byte{7}}));
}

TEST(BitStream, ReadsBackAndPutsEachBitInItsPlace) {
  for (int bits = 1; bits <= 8; ++bits) {
    const auto width = static_cast<std::size_t>(bits);
    for (std::size_t count = 0; count <= 67; ++count) {
      const Numbers codes =
          random_codes(count, bits, static_cast<std::uint32_t>(100 * width + count));
      const auto bytes = pack_bits(codes, bits);
      ASSERT_EQ(bytes.size(), (count * width + 7) / 8);
      ASSERT_EQ(bit_stream_bytes(count, bits), bytes.size());
      for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const unsigned stored = std::to_integer<unsigned>(bytes[bit / 8]) >> bit % 8 & 1U;
        const unsigned expected =
            bit < count * width ? static_cast<unsigned>(codes[bit / width]) >> bit % width & 1U
                                : 0U;
        ASSERT_EQ(stored, expected) << bits << " bits, " << count << " codes, bit " << bit;
      }
      ASSERT_EQ(unpack_bits(bytes, count, bits), codes);
    }
  }
}

TEST(BitStream, ABitThatBelongsToNoCodeIsNothing) {
  for (int bits = 1; bits <= 8; ++bits) {
    for (std::size_t count = 1; count <= 67; ++count) {
      const auto bytes = pack_bits(random_codes(count, bits, 5), bits);
      for (std::size_t bit = count * static_cast<std::size_t>(bits); bit < 8 * bytes.size();
           ++bit) {
        auto changed = bytes;
        changed.back() |= static_cast<std::byte>(1U << bit % 8);
        EXPECT_EQ(unpack_bits(changed, count, bits), std::nullopt) << bits << " bits, bit " << bit;
      }
    }
  }
}

TEST(BitStream, SizesOfMoreCodesThanMemoryHolds) {
  // The number of bits itself would overflow.
  constexpr std::size_t many = std::size_t{1} << 61U;
  EXPECT_EQ(bit_stream_bytes(many, 8), many);
  EXPECT_EQ(bit_stream_bytes(many + 1, 4), many / 2 + 1);
}

}  // namespace
}  // namespace evenkeel
