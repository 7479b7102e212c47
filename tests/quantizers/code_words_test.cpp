// Words worked out by hand; tests/golden/packing_test.py compares with compressed-tensors itself.
#include "quantizers/code_words.h"

#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Numbers = std::vector<std::uint8_t>;
using Shape = std::vector<std::int64_t>;

std::vector<unsigned> unsigned_bytes(const std::vector<std::byte>& bytes) {
  std::vector<unsigned> values;
  values.reserve(bytes.size());
  for (const std::byte byte : bytes) values.push_back(std::to_integer<unsigned>(byte));
  return values;
}

TEST(CodeWords, LowestBitsFirst) {
  const CodeWords layout{.rows = 1, .columns = 10, .bits = 4};
  EXPECT_EQ(layout.shape(), (Shape{1, 2}));
  EXPECT_EQ(unsigned_bytes(pack_words(Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, layout)),
            (std::vector<unsigned>{0x21, 0x43, 0x65, 0x87, 0xA9, 0, 0, 0}));
}

TEST(CodeWords, BytesOfEightBitsStandAsTheyAre) {
  const CodeWords layout{.rows = 2, .columns = 5, .bits = 8};
  EXPECT_EQ(layout.shape(), (Shape{2, 2}));
  EXPECT_EQ(unsigned_bytes(pack_words(Numbers{1, 2, 3, 4, 255, 6, 7, 8, 9, 0}, layout)),
            (std::vector<unsigned>{1, 2, 3, 4, 255, 0, 0, 0, 6, 7, 8, 9, 0, 0, 0, 0}));
}

TEST(CodeWords, DownTheColumns) {
  // The transpose of the above, so that words stand side by side.
  const CodeWords layout{.rows = 5, .columns = 2, .bits = 8, .lanes = Lanes::columns};
  EXPECT_EQ(layout.shape(), (Shape{2, 2}));
  EXPECT_EQ(unsigned_bytes(pack_words(Numbers{1, 6, 2, 7, 3, 8, 4, 9, 255, 0}, layout)),
            (std::vector<unsigned>{1, 2, 3, 4, 6, 7, 8, 9, 255, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(CodeWords, EveryRestOfAWordReadsBack) {
  std::mt19937 random(7);
  for (const int bits : {4, 8}) {
    for (const Lanes lanes : {Lanes::rows, Lanes::columns}) {
      for (Index rows = 1; rows <= 9; ++rows) {
        for (Index columns = 1; columns <= 9; ++columns) {
          const CodeWords layout{rows, columns, bits, lanes};
          Numbers numbers(static_cast<std::size_t>(rows * columns));
          for (auto& number : numbers) {
            number = static_cast<std::uint8_t>(random() & ((1U << bits) - 1U));
          }
          const auto bytes = pack_words(numbers, layout);
          const Shape shape = layout.shape();
          ASSERT_EQ(bytes.size(), static_cast<std::size_t>(4 * shape[0] * shape[1]));
          EXPECT_EQ(unpack_words(bytes, layout), numbers);
        }
      }
    }
  }
}

TEST(CodeWords, ABitThatBelongsToNoNumberIsNothing) {
  const CodeWords layout{.rows = 1, .columns = 9, .bits = 4};
  const auto bytes = pack_words(Numbers(9, 15), layout);
  for (std::size_t bit = 36; bit < 64; ++bit) {
    auto changed = bytes;
    changed[bit / 8] |= static_cast<std::byte>(1U << bit % 8);
    EXPECT_EQ(unpack_words(changed, layout), std::nullopt) << bit;
  }
}

}  // namespace
}  // namespace evenkeel
