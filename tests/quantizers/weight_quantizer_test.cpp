#include "quantizers/weight_quantizer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/affine.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr float epsilon = std::numeric_limits<float>::epsilon();

using Codes = std::vector<std::int16_t>;

TEST(WeightQuantizer, AsymmetricPerChannelByHand) {
  Matrix weight(3, 4);
  // Row 0: 0 .. 3, step 1, zero 0. Row 1: -1.5 .. 1.5, step 1, zero 2 (1.5 to even); -1.5 rounds to
  // -2 and 1.5 to 2, which is clamped to code 3. Row 2: negative only.
  weight << 0.0F, 0.5F, 1.5F, 3.0F,  //
      -1.5F, -0.5F, 0.5F, 1.5F,      //
      -6.0F, -3.0F, -5.0F, -1.0F;
  const auto quantized =
      quantize_weight(weight, {.bits = 2, .granularity = Granularity::per_channel});
  EXPECT_EQ(quantized.steps, (std::vector<float>{1.0F, 1.0F, 2.0F}));
  EXPECT_EQ(quantized.zero_points, (std::vector<std::int32_t>{0, 2, 3}));
  EXPECT_EQ(quantized.codes, (Codes{0, 0, 2, 3, 0, 2, 2, 3, 0, 1, 1, 3}));
  Matrix expected(3, 4);
  expected << 0.0F, 0.0F, 2.0F, 3.0F,  //
      -2.0F, 0.0F, 0.0F, 1.0F,         //
      -6.0F, -4.0F, -4.0F, 0.0F;
  EXPECT_EQ(dequantize_weight(quantized), expected);
}

TEST(WeightQuantizer, SymmetricPerTensorByHand) {
  Matrix weight(2, 3);
  weight << 7.0F, -3.5F, 0.5F, -2.5F, 1.5F, 0.0F;
  const auto quantized = quantize_weight(
      weight, {.bits = 4, .granularity = Granularity::per_tensor, .symmetric = true});
  EXPECT_EQ(quantized.steps, std::vector<float>{1.0F});
  EXPECT_EQ(quantized.zero_points, std::vector<std::int32_t>{0});
  EXPECT_EQ(quantized.codes, (Codes{7, -4, 0, -2, 2, 0}));
}

TEST(WeightQuantizer, AShortLastGroupHasAStepOfItsOwn) {
  Matrix weight(2, 5);
  weight << 0.0F, 3.0F, 6.0F, 0.0F, 9.0F,  //
      -3.0F, 0.0F, 0.0F, 0.0F, -1.5F;
  const auto quantized =
      quantize_weight(weight, {.bits = 2, .granularity = Granularity::per_group, .group_size = 2});
  EXPECT_EQ(quantized.groups(), 3);
  EXPECT_EQ(quantized.steps, (std::vector<float>{1.0F, 2.0F, 3.0F, 1.0F, epsilon, 0.5F}));
  EXPECT_EQ(quantized.zero_points, (std::vector<std::int32_t>{0, 0, 0, 3, 0, 3}));
  EXPECT_EQ(quantized.codes, (Codes{0, 3, 3, 0, 3, 0, 3, 0, 0, 0}));
  EXPECT_EQ(dequantize_weight(quantized), weight);
}

TEST(WeightQuantizer, AGroupWiderThanTheRowIsTheRow) {
  const Matrix weight = support::random_matrix(3, 5, 1);
  const TensorScheme groups{.bits = 4, .granularity = Granularity::per_group, .group_size = 128};
  const auto grouped = quantize_weight(weight, groups);
  const auto by_row = quantize_weight(weight, {.bits = 4, .granularity = Granularity::per_channel});
  EXPECT_EQ(grouped.groups(), 1);
  EXPECT_EQ(grouped.codes, by_row.codes);
  EXPECT_EQ(grouped.steps, by_row.steps);
}

TEST(WeightQuantizer, AllZeroStaysAllZero) {
  for (const bool symmetric : {false, true}) {
    const auto quantized = quantize_weight(Matrix::Zero(2, 3), {.symmetric = symmetric});
    EXPECT_EQ(quantized.steps, std::vector<float>{epsilon});
    EXPECT_EQ(quantized.codes, Codes(6, 0));
    EXPECT_EQ(dequantize_weight(quantized), Matrix::Zero(2, 3));
  }
}

TEST(WeightQuantizer, AConstantComesBackToWithinARounding) {
  for (const float constant : {0.7F, -0.7F}) {
    const auto quantized = quantize_weight(Matrix::Constant(2, 3, constant), {.bits = 3});
    // The range is 0 .. constant, whose end is 7 steps of constant / 7: two roundings.
    EXPECT_NEAR(dequantize_weight(quantized)(1, 2), constant, 0.7F * 2.0F * epsilon);
  }
}

TEST(WeightQuantizer, OneOutlierLeavesTheRestOneStep) {
  Matrix weight = Matrix::Constant(1, 64, 0.1F);
  weight(0, 17) = 255.0F;
  const auto quantized = quantize_weight(weight, {.granularity = Granularity::per_channel});
  Codes expected(64, 0);
  expected[17] = 255;
  EXPECT_EQ(quantized.codes, expected);
}

class EveryScheme : public testing::TestWithParam<TensorScheme> {};

// The reference of this file: each value with the parameters of its row and group, one at a time.
TEST_P(EveryScheme, AgreesWithTheDefinitionValueByValue) {
  const TensorScheme scheme = GetParam();
  for (const auto& [rows, columns] : {std::pair<Index, Index>{1, 1}, {7, 1}, {1, 50}, {9, 131}}) {
    const Matrix weight = support::random_matrix(rows, columns, 2);
    const auto quantized = quantize_weight(weight, scheme);
    const CodeRange range = code_range(scheme.bits, scheme.symmetric);
    const Index width =
        scheme.granularity == Granularity::per_group ? Index{scheme.group_size} : columns;
    Matrix expected(rows, columns);
    for (Index row = 0; row < rows; ++row) {
      for (Index column = 0; column < columns; ++column) {
        const Index first = column / width * width;
        const auto piece = weight.row(row).segment(first, std::min(width, columns - first));
        const Range seen = scheme.granularity == Granularity::per_tensor
                               ? Range{weight.minCoeff(), weight.maxCoeff()}
                               : Range{piece.minCoeff(), piece.maxCoeff()};
        const auto parameters = affine_parameters(seen, scheme.bits, scheme.symmetric);
        const auto code = reference::quantize(weight(row, column), parameters, range);
        ASSERT_EQ(quantized.codes[static_cast<std::size_t>(row * columns + column)], code);
        expected(row, column) = reference::dequantize(code, parameters);
      }
    }
    EXPECT_EQ(dequantize_weight(quantized), expected);

    // In place, and in a window of a wider matrix, whose other values stay.
    Matrix whole = Matrix::Constant(rows + 2, columns + 3, 9.0F);
    whole.block(1, 2, rows, columns) = weight;
    fake_quantize_weight(whole.block(1, 2, rows, columns), scheme);
    EXPECT_EQ(whole.block(1, 2, rows, columns), expected);
    whole.block(1, 2, rows, columns).setConstant(9.0F);
    EXPECT_EQ(whole, Matrix::Constant(rows + 2, columns + 3, 9.0F));
  }
}

std::vector<TensorScheme> every_scheme() {
  std::vector<TensorScheme> schemes;
  for (const int bits : {2, 3, 4, 6, 8}) {
    for (const bool symmetric : {false, true}) {
      for (const auto granularity :
           {Granularity::per_tensor, Granularity::per_channel, Granularity::per_group}) {
        schemes.push_back(
            {.bits = bits, .granularity = granularity, .symmetric = symmetric, .group_size = 32});
      }
    }
  }
  return schemes;
}

INSTANTIATE_TEST_SUITE_P(WeightQuantizer, EveryScheme, testing::ValuesIn(every_scheme()),
                         [](const auto& scheme) {
                           return std::string(name_of(scheme.param.granularity)) + "_" +
                                  std::to_string(scheme.param.bits) +
                                  (scheme.param.symmetric ? "_symmetric" : "");
                         });

TEST(WeightQuantizer, AnEmptyWeightIsLeftAlone) {
  Matrix nothing(0, 4);
  fake_quantize_weight(nothing, {.granularity = Granularity::per_channel});
  EXPECT_EQ(nothing.size(), 0);
}

}  // namespace
}  // namespace evenkeel
