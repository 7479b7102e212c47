// The form of packing.h that holds code books: what is stored, and what damaged tensors say.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/packing.h"
#include "support/expect_error.h"
#include "support/random_matrix.h"
#include "support/stored_parts.h"

namespace evenkeel {
namespace {

using support::stored_parts;
using support::StoredParts;
using Bytes = std::vector<std::byte>;
using Shape = std::vector<std::int64_t>;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

Scheme weights_alone(const TensorScheme& weights) {
  Scheme scheme;
  scheme.weights = weights;
  scheme.activations.bits = unquantized_bits;
  return scheme;
}

Scheme blocks(Codes codes, int bits = 4) {
  return weights_alone(
      {.bits = bits, .granularity = Granularity::per_block, .codes = codes, .block_size = 16});
}

// 3 rows of 20 columns; the first so many are kept.
QuantizedWeight quantized(const Scheme& scheme) {
  std::vector<Index> kept(static_cast<std::size_t>(kept_columns(scheme.weights, 20)));
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = static_cast<Index>(7 * i + 2);
  return quantize_weight(support::random_matrix(3, 20, 3), scheme.weights, kept);
}

std::vector<Scheme> all_schemes() {
  std::vector<Scheme> all;
  for (const auto& [codes, bits] : {std::pair{Codes::nf4, 4},
                                    {Codes::fp4, 4},
                                    {Codes::quantile, 2},
                                    {Codes::quantile, 5},
                                    {Codes::quantile, 8},
                                    {Codes::linear, 3},
                                    {Codes::floating, 6},
                                    {Codes::dynamic, 7}}) {
    for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel,
                                   Granularity::per_group, Granularity::per_block}) {
      for (const double percent : {0.0, 4.0, 15.0}) {
        Scheme scheme = blocks(codes, bits);
        scheme.weights.granularity = granularity;
        scheme.weights.group_size = 6;  // divides nothing here, and need not
        scheme.weights.proxy_percent = percent;
        all.push_back(scheme);
        scheme.weights.centered = true;
        all.push_back(scheme);
      }
    }
  }
  return all;
}

TEST(BookPacking, ReadsBackAsItWas) {
  for (const Scheme& scheme : all_schemes()) {
    EXPECT_EQ(format_of(scheme), PackedFormat::code_book);
    const QuantizedWeight weight = quantized(scheme);
    const StoredParts tensors = stored_parts(weight, scheme);  // compares with the plan
    const QuantizedWeight back = unpack(tensors, "m", 3, 20, scheme);
    EXPECT_EQ(back.scheme, weight.scheme);
    EXPECT_EQ(back.rows, 3);
    EXPECT_EQ(back.columns, 20);
    EXPECT_EQ(back.codes, weight.codes);
    EXPECT_EQ(back.steps, weight.steps);
    EXPECT_EQ(back.zero_points, weight.zero_points);
    EXPECT_EQ(back.book.values, weight.book.values);
    EXPECT_EQ(back.book.means, weight.book.means);
    EXPECT_EQ(back.book.kept, weight.book.kept);
    // A matrix of no columns has its rows or not, as it was made.
    ASSERT_EQ(back.book.kept_weight.size(), weight.book.kept_weight.size());
    if (weight.book.kept_weight.size() > 0) {
      EXPECT_EQ(back.book.kept_weight, weight.book.kept_weight);
    }
    EXPECT_EQ(dequantize_weight(back), dequantize_weight(weight));
  }
}

TEST(BookPacking, PlansWhatTheHeaderSays) {
  Scheme scheme = blocks(Codes::linear, 3);
  scheme.weights.centered = true;
  scheme.weights.proxy_percent = 6.0;  // 1.2 columns of 20: two
  const auto plan = packed_plan("m", 3, 20, scheme);
  const auto expect = [&](const std::string& name, DType dtype, const Shape& shape) {
    for (const TensorPlan& tensor : plan) {
      if (tensor.name != name) continue;
      EXPECT_EQ(tensor.dtype, dtype) << name;
      EXPECT_EQ(tensor.shape, shape) << name;
      return;
    }
    ADD_FAILURE() << "no " << name;
  };
  EXPECT_EQ(plan.size(), 7U);
  expect("m.weight_codes", DType::U8, {21});  // 54 codes of 3 bits: 162 bits
  expect("m.weight_shape", DType::I64, {2});
  expect("m.weight_absmax", DType::F16, {4});
  expect("m.weight_mean", DType::F16, {4});
  expect("m.weight_code_book", DType::F32, {7});
  expect("m.weight_kept_columns", DType::I32, {2});
  expect("m.weight_kept", DType::F16, {3, 2});
  EXPECT_EQ(packed_plan("m", 3, 20, blocks(Codes::nf4)).size(), 4U);
}

TEST(BookPacking, BytesByHand) {
  const Scheme scheme = blocks(Codes::linear, 3);
  QuantizedWeight weight = quantize_weight(Matrix::Zero(1, 3), scheme.weights);
  weight.codes = {6, 1, 5};
  weight.steps = {1.5F};
  StoredParts tensors = stored_parts(weight, scheme);
  // 101 001 110 from the last code to the first.
  EXPECT_EQ(tensors.bytes("m.weight_codes"), (Bytes{std::byte{0b01001110}, std::byte{1}}));
  EXPECT_EQ(tensors.bytes("m.weight_absmax"), (Bytes{std::byte{0x00}, std::byte{0x3E}}));
  Bytes shape(16);
  shape[0] = std::byte{1};
  shape[8] = std::byte{3};
  EXPECT_EQ(tensors.bytes("m.weight_shape"), shape);
}

class BookDamage : public testing::Test {
 protected:
  BookDamage() {
    scheme.weights.centered = true;
    scheme.weights.proxy_percent = 15.0;  // columns 2, 9 and 16
  }
  StoredParts intact() const { return stored_parts(quantized(scheme), scheme); }
  void fails(const StoredParts& tensors, const std::string& name,
             std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { unpack(tensors, "m", 3, 20, scheme); },
                                      "tensor '" + name + "'", parts);
  }
  // Value i of a tensor of floats is another.
  void fails_with(const std::string& name, DType dtype, std::size_t i, float value,
                  std::string_view part) const {
    StoredParts tensors = intact();
    encode_floats(dtype, {&value, 1},
                  std::span(tensors.bytes(name)).subspan(i * size_of(dtype), size_of(dtype)));
    fails(tensors, name, {"file offset 1000", part});
  }
  void fails_with_columns(const std::vector<std::int32_t>& columns, std::string_view part) const {
    StoredParts tensors = intact();
    std::memcpy(tensors.bytes("m.weight_kept_columns").data(), columns.data(), 12);
    fails(tensors, "m.weight_kept_columns", {"file offset 1000", part});
  }

  Scheme scheme = blocks(Codes::linear, 3);
};

TEST_F(BookDamage, NoneIsNoError) { EXPECT_NO_THROW(unpack(intact(), "m", 3, 20, scheme)); }

TEST_F(BookDamage, ACodeBeyondTheBook) {
  StoredParts tensors = intact();  // 7 values for 8 codes
  tensors.bytes("m.weight_codes")[0] |= std::byte{7};
  fails(tensors, "m.weight_codes", {"code 0 is 7", "7 values"});
}

TEST_F(BookDamage, BitsThatBelongToNoCode) {
  for (unsigned bit = 51 * 3 % 8; bit < 8; ++bit) {  // of 3 rows of 17 columns
    StoredParts tensors = intact();
    tensors.bytes("m.weight_codes").back() |= static_cast<std::byte>(1U << bit);
    fails(tensors, "m.weight_codes", {"bits that belong to no code"});
  }
}

TEST_F(BookDamage, AConstantThatIsNegativeOrNoNumber) {
  for (const float wrong : {-1.0F, nan, infinity, -infinity}) {
    fails_with("m.weight_absmax", DType::F16, 3, wrong, "constant 3 is");
  }
}

TEST_F(BookDamage, AMeanOrKeptWeightThatIsNoNumber) {
  for (const float wrong : {nan, infinity, -infinity}) {
    fails_with("m.weight_mean", DType::F16, 1, wrong, "mean 1 is");
    fails_with("m.weight_kept", DType::F16, 8, wrong, "weight 8 is");
  }
}

TEST_F(BookDamage, ABookThatDoesNotAscendOrIsTooWide) {
  fails_with("m.weight_code_book", DType::F32, 2, 0.9F, "value 3 is below the one before");
  for (const float wrong : {1.0001F, -1.0001F, nan, infinity}) {
    for (const std::size_t place : {0U, 6U}) {
      fails_with("m.weight_code_book", DType::F32, place, wrong, "from -1 to 1");
    }
  }
}

TEST_F(BookDamage, KeptColumnsRepeatedUnsortedOrOutOfRange) {
  fails_with_columns({2, 9, 9}, "column 9");
  fails_with_columns({9, 2, 16}, "column 2");
  fails_with_columns({-1, 2, 16}, "column -1");
  fails_with_columns({2, 9, 20}, "column 20");
  fails_with_columns({2, 9, std::numeric_limits<std::int32_t>::max()}, "column 2147483647");
  fails_with_columns({2, std::numeric_limits<std::int32_t>::max(), 16}, "column 2147483647");
}

TEST_F(BookDamage, AnotherShapeOrDtype) {
  for (const TensorPlan& plan : packed_plan("m", 3, 20, scheme)) {
    StoredParts tensors = intact();
    tensors.tensor(plan.name).shape.push_back(1);
    fails(tensors, plan.name, {"expected ", "got "});
    tensors = intact();
    ++tensors.tensor(plan.name).shape[0];
    fails(tensors, plan.name, {"expected ", "got "});
    tensors = intact();
    tensors.tensor(plan.name).dtype = DType::BF16;
    fails(tensors, plan.name, {"got BF16"});
  }
}

TEST_F(BookDamage, AShapeThatLies) {
  StoredParts tensors = intact();
  tensors.bytes("m.weight_shape")[0] = std::byte{4};
  fails(tensors, "m.weight_shape", {"expected [3, 20], got [4, 20]"});
}

TEST_F(BookDamage, WhatAnotherSchemeNeedsIsMissing) {
  Scheme plain = scheme;
  plain.weights.centered = false;
  support::expect_error<InputError>(
      [&] { unpack(stored_parts(quantized(plain), plain), "m", 3, 20, scheme); },
      "tensor 'm.weight_mean'", {"missing"});
}

}  // namespace
}  // namespace evenkeel
