#include "io/stored_tensor.h"

#include "tests/support/safetensors_builder.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// Element i is i.
struct Counting {
  std::string bytes;
  StoredTensor tensor;

  explicit Counting(std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    bytes = support::bytes_of_numbers(values);
    tensor.shape = std::move(shape);
    tensor.bytes = std::as_bytes(std::span(bytes));
    tensor.file_offset = 1000;
  }
};

std::vector<float> decoded(const StoredTensor& tensor, Index first, std::size_t count) {
  std::vector<float> values(count);
  decode(tensor, first, values);
  return values;
}

// Q8_0 with d = 1: element i of row r is r + i - 64.
struct Blocks {
  std::string bytes;
  StoredTensor tensor;

  Blocks() {
    for (int block = 0; block < 3 * 2; ++block) {
      bytes += std::string("\x00\x3C", 2);
      for (int i = 0; i < 32; ++i) {
        bytes.push_back(static_cast<char>(block / 2 + block % 2 * 32 + i - 64));
      }
    }
    tensor.dtype = DType::Q8_0;
    tensor.shape = {3, 64};
    tensor.bytes = std::as_bytes(std::span(bytes));
    tensor.file_offset = 1000;
  }
};

TEST(StoredTensor, BytesOfBlocks) {
  EXPECT_EQ(bytes_of(DType::F16, {3, 5}), 30U);
  EXPECT_EQ(bytes_of(DType::Q8_0, {3, 64}), 3U * 2 * 34);
  EXPECT_EQ(bytes_of(DType::Q6_K, {2, 3, 512}), 2U * 3 * 2 * 210);
  EXPECT_EQ(bytes_of(DType::Q8_0, {64, 3}), std::nullopt);  // blocks lie in rows
  EXPECT_EQ(bytes_of(DType::Q8_0, {}), std::nullopt);
  EXPECT_EQ(bytes_of(DType::Q4_K, {1LL << 40, 1LL << 40}), std::nullopt);
  EXPECT_EQ(bytes_of(DType::F32, {-1}), std::nullopt);
}

TEST(StoredTensor, AnyRangeOfBlocksDecodesToTheSame) {
  const Blocks blocks;
  ASSERT_EQ(blocks.tensor.elements(), 192);
  const std::vector<float> all = decoded(blocks.tensor, 0, 192);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], static_cast<float>(i / 64) + static_cast<float>(i % 64) - 64.0F);
  }
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t count = 0; count <= all.size() - first; count += 7) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
      ASSERT_EQ(decoded(blocks.tensor, static_cast<Index>(first), count),
                std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count)))
          << first << " " << count;
    }
  }
  EXPECT_FALSE(blocks.tensor.is_plain());
  EXPECT_EQ(file_position(blocks.tensor, 33), 1000U + 34);
}

TEST(StoredTensor, RowsOfHeadsAreTakenApart) {
  Counting rows({8, 2});  // two heads of 4 channels
  rows.tensor.rows = RowOrder::halves_interleaved;
  rows.tensor.heads = 2;
  // Stored 0, 2, 1, 3 of each head are its first half, then its second.
  const std::vector<float> expected{0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15};
  EXPECT_EQ(decoded(rows.tensor, 0, 16), expected);
  EXPECT_EQ(decoded(rows.tensor, 3, 6),
            std::vector<float>(expected.begin() + 3, expected.begin() + 9));
  EXPECT_EQ(file_position(rows.tensor, 3), 1000U + 5 * 4);
  EXPECT_FALSE(rows.tensor.is_plain());
}

TEST(StoredTensor, VectorsOfHeadsAreTakenApart) {
  Counting bias({6});  // one head of 6 channels
  bias.tensor.rows = RowOrder::halves_interleaved;
  bias.tensor.heads = 1;
  EXPECT_EQ(decoded(bias.tensor, 0, 6), (std::vector<float>{0, 2, 4, 1, 3, 5}));
}

TEST(StoredTensor, PartsOfHeadsAreBroughtBackToTheirHead) {
  Counting fused({12, 1});  // query, key and value of two heads of 2 channels
  fused.tensor.rows = RowOrder::parts_together;
  fused.tensor.heads = 2;
  EXPECT_EQ(decoded(fused.tensor, 0, 12),
            (std::vector<float>{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11}));
}

TEST(StoredTensor, AddsTheOffset) {
  Counting gain({3});
  EXPECT_TRUE(gain.tensor.is_plain());
  gain.tensor.offset = -1.0F;
  EXPECT_EQ(decoded(gain.tensor, 1, 2), (std::vector<float>{0, 1}));
  EXPECT_FALSE(gain.tensor.is_plain());
}

}  // namespace
}  // namespace evenkeel
