#include "io/dtype.h"

#include <array>
#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

struct Known {
  DType dtype;
  std::string_view name;
  std::size_t size;
  bool is_float;
};

constexpr std::array<Known, 10> every_dtype{{{DType::F64, "F64", 8, false},
                                             {DType::F32, "F32", 4, true},
                                             {DType::F16, "F16", 2, true},
                                             {DType::BF16, "BF16", 2, true},
                                             {DType::I64, "I64", 8, false},
                                             {DType::I32, "I32", 4, false},
                                             {DType::I16, "I16", 2, false},
                                             {DType::I8, "I8", 1, false},
                                             {DType::U8, "U8", 1, false},
                                             {DType::BOOL, "BOOL", 1, false}}};

TEST(DTypeTest, NamesSizesAndKindsAreThoseOfTheFormat) {
  for (const Known& known : every_dtype) {
    EXPECT_EQ(name_of(known.dtype), known.name);
    EXPECT_EQ(size_of(known.dtype), known.size) << known.name;
    EXPECT_EQ(is_float(known.dtype), known.is_float) << known.name;
    EXPECT_EQ(dtype_named(known.name), known.dtype) << known.name;
  }
  EXPECT_EQ(dtype_names(), "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
}

TEST(DTypeTest, BlockTypesAreReadAndWrittenInF16) {
  struct Block {
    DType dtype;
    std::string_view name;
    std::size_t elements;
    std::size_t bytes;
  };
  for (const Block& block :
       {Block{DType::Q4_0, "Q4_0", 32, 18}, Block{DType::Q4_1, "Q4_1", 32, 20},
        Block{DType::Q5_0, "Q5_0", 32, 22}, Block{DType::Q5_1, "Q5_1", 32, 24},
        Block{DType::Q8_0, "Q8_0", 32, 34}, Block{DType::Q4_K, "Q4_K", 256, 144},
        Block{DType::Q5_K, "Q5_K", 256, 176}, Block{DType::Q6_K, "Q6_K", 256, 210}}) {
    EXPECT_EQ(name_of(block.dtype), block.name);
    EXPECT_EQ(block_elements(block.dtype), block.elements) << block.name;
    EXPECT_EQ(block_bytes(block.dtype), block.bytes) << block.name;
    EXPECT_TRUE(is_weight(block.dtype)) << block.name;
    EXPECT_FALSE(is_float(block.dtype)) << block.name;
    EXPECT_EQ(written_dtype(block.dtype), DType::F16) << block.name;
  }
  for (const Known& known : every_dtype) {
    EXPECT_EQ(block_elements(known.dtype), 1U) << known.name;
    EXPECT_EQ(is_weight(known.dtype), known.is_float) << known.name;
    if (!known.is_float) continue;
    EXPECT_EQ(written_dtype(known.dtype), known.dtype) << known.name;
  }
}

TEST(DTypeTest, AnUnknownNameIsNothing) {
  for (const std::string_view name : {"", "f32", "F8_E4M3", "F32 ", "U16", "float32", "Q8_0"}) {
    EXPECT_EQ(dtype_named(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace evenkeel
