// Products of codes against products of the fake-quantized values, in double.
#include "quantizers/integer_linear.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/within.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::Doubles;
using support::random_matrix;
using support::random_vector;

constexpr double epsilon = std::numeric_limits<float>::epsilon();

// A fake-quantized value is step * (code - zero_point), rounded: half an epsilon off for each
// factor, so that a sum of theirs lies within epsilon * sum |x w| of the product of codes. Of that
// product step and step, the exact integer and the two together are rounded: 3/2 epsilon of the
// value; the rest is for terms in epsilon squared. Then the bias is added: half an epsilon.
Bounded product(const Matrix& x, const Matrix& w, const Vector& bias) {
  const Doubles a = x.cast<double>();
  const Doubles b = w.cast<double>().transpose();
  Doubles value = a * b;
  Doubles bound = epsilon * (a.cwiseAbs() * b.cwiseAbs() + 2.0 * value.cwiseAbs());
  if (bias.size() != 0) {
    value.rowwise() += bias.cast<double>();
    bound += epsilon * value.cwiseAbs();
  }
  return {value, bound};
}

class IntegerLinears : public testing::Test {
 protected:
  void SetUp() override {
    if (!integer_product_is_exact()) GTEST_SKIP() << "u8 x s8 saturates on this machine";
  }

  // More than are multiplied at once, beside the first ones; odd sizes.
  static constexpr Index tokens = 137;
  static constexpr Index first = 3;
  static constexpr Index depth = 35;
  static constexpr Index rows = 23;

  // Channels of different size, which the scales level somewhat.
  const Vector sizes = random_vector(depth, 1, 0.1F, 4.0F);
  const Vector scale = random_vector(depth, 2, 0.25F, 3.0F);
  const Matrix values = random_matrix(tokens, depth, 3).array().rowwise() * sizes.array();
  const Matrix weight = random_matrix(rows, depth, 4, -1.0F, 0.5F);
  const Vector bias = random_vector(rows, 5, -3.0F, 3.0F);
  const std::vector<Index> tensors{7, 1, 15};

  static Matrix multiply(const IntegerLinear& linear, const ActivationCodes& codes, Index from,
                         const Vector& added) {
    Matrix out = Matrix::Constant(codes.tokens() - from, linear.rows(), 99.0F);
    IntegerLinear::Buffers buffers;
    linear.multiply(codes, from, added, buffers, out);
    return out;
  }

  Matrix fake_quantized_weight(const TensorScheme& scheme) const {
    Matrix scaled = weight.array().rowwise() * scale.array();
    Index row = 0;
    for (const Index count : tensors) {
      fake_quantize_weight(scaled.middleRows(row, count), scheme);
      row += count;
    }
    return scaled;
  }
};

// Ranges that cut values off at both ends, where they are given.
ActivationQuantizer quantizer_of(const TensorScheme& scheme) {
  if (is_dynamic(scheme)) return ActivationQuantizer(scheme);
  return {scheme, {Range{-1.5F, 1.25F}}};
}

std::vector<TensorScheme> schemes_of(Granularity by_row) {
  std::vector<TensorScheme> all;
  for (const int bits : {2, 3, 4, 5, 6, 7, 8}) {
    for (const bool symmetric : {false, true}) {
      for (const Granularity granularity : {Granularity::per_tensor, by_row}) {
        all.push_back({.bits = bits, .granularity = granularity, .symmetric = symmetric});
      }
    }
  }
  return all;
}

std::string text_of(const TensorScheme& scheme) {
  return std::to_string(scheme.bits) + " bits " + std::string(name_of(scheme.granularity)) +
         (scheme.symmetric ? " symmetric" : "");
}

TEST_F(IntegerLinears, AreProductsOfTheFakeQuantizedValues) {
  for (const TensorScheme& weights : schemes_of(Granularity::per_channel)) {
    const IntegerLinear linear(weight, scale, tensors, weights);
    ASSERT_EQ(linear.rows(), rows);
    const Matrix w = fake_quantized_weight(weights);
    for (const TensorScheme& activations : schemes_of(Granularity::per_token)) {
      ASSERT_TRUE(has_integer_products(weights, activations, depth));
      const ActivationQuantizer quantizer = quantizer_of(activations);
      ActivationCodes codes;
      codes.assign(values, scale, quantizer);
      ASSERT_EQ(codes.tokens(), tokens);
      ASSERT_EQ(codes.depth(), depth);
      Matrix x = values.array().rowwise() / scale.array();
      quantizer.apply(x);
      const std::string text = text_of(weights) + ", " + text_of(activations);
      EXPECT_TRUE(within(multiply(linear, codes, 0, {}), product(x, w, {}))) << text;
      EXPECT_TRUE(within(multiply(linear, codes, first, bias),
                         product(x.bottomRows(tokens - first), w, bias)))
          << text;
    }
  }
}

TEST_F(IntegerLinears, CodesWithoutAScaleAreThoseOfScaleOne) {
  const IntegerLinear linear(weight, scale, tensors, {.bits = 8});
  for (const TensorScheme& scheme : schemes_of(Granularity::per_token)) {
    ActivationCodes plain;
    ActivationCodes scaled;
    plain.assign(values, quantizer_of(scheme));
    scaled.assign(values, Vector::Ones(depth), quantizer_of(scheme));
    EXPECT_EQ(multiply(linear, plain, 0, bias), multiply(linear, scaled, 0, bias))
        << text_of(scheme);
  }
}

// Buffers are reused for longer and shorter samples, and for other depths.
TEST_F(IntegerLinears, GatheredTokensAreTheirOwn) {
  const std::vector<Index> chosen{5, 0, 136, 5, 64};
  ActivationCodes gathered;
  gathered.assign(random_matrix(150, 3, 8), ActivationQuantizer({.bits = 4}, {Range{-1, 1}}));
  for (const TensorScheme& scheme : schemes_of(Granularity::per_token)) {
    const IntegerLinear linear(weight, scale, tensors, {.bits = 5});
    ActivationCodes codes;
    codes.assign(values, scale, quantizer_of(scheme));
    gathered.gather(codes, chosen);
    ASSERT_EQ(gathered.tokens(), 5);
    const Matrix all = multiply(linear, codes, 0, bias);
    EXPECT_EQ(multiply(linear, gathered, 0, bias), Matrix(all(chosen, Eigen::all)))
        << text_of(scheme);
  }
  gathered.gather(gathered, {});
  EXPECT_EQ(gathered.tokens(), 0);
}

TEST_F(IntegerLinears, OfAQuantizedWeightAreThoseOfItsFloats) {
  ActivationCodes codes;
  codes.assign(values, scale, quantizer_of({.bits = 8}));
  const std::vector<Index> some{22, 0, 7, 7, 3};
  for (const TensorScheme& scheme : schemes_of(Granularity::per_channel)) {
    const QuantizedWeight quantized = quantize_weight(weight, scheme);
    const std::vector<Index> one_tensor{rows};
    const IntegerLinear floats(weight, Vector::Ones(depth), one_tensor, scheme);
    const Matrix expected = multiply(floats, codes, first, bias);
    EXPECT_EQ(multiply(IntegerLinear(quantized, {}), codes, first, bias), expected)
        << text_of(scheme);
    const Vector some_bias = bias(some);
    EXPECT_EQ(multiply(IntegerLinear(quantized, some), codes, first, some_bias),
              Matrix(expected(Eigen::all, some)))
        << text_of(scheme);
  }
}

// All codes at either end: 255 * 255 * 32768 is just below 2^31, with both signs.
TEST_F(IntegerLinears, HoldTheLongestRows) {
  const ActivationQuantizer up({.bits = 8}, {Range{0.0F, 1.0F}});
  const ActivationQuantizer down({.bits = 8}, {Range{-1.0F, 0.0F}});
  Matrix ends(2, longest_integer_depth);
  ends.row(0).setConstant(1.0F);
  ends.row(1).setConstant(-1.0F);
  const TensorScheme scheme{.bits = 8, .granularity = Granularity::per_channel};
  const std::vector<Index> tensor{2};
  const IntegerLinear linear(ends, Vector::Ones(longest_integer_depth), tensor, scheme);
  for (const auto& [quantizer, sign] : {std::pair(up, 1.0F), std::pair(down, -1.0F)}) {
    Matrix x = Matrix::Constant(1, longest_integer_depth, sign);
    ActivationCodes codes;
    codes.assign(x, quantizer);
    quantizer.apply(x);
    Matrix w = ends;
    fake_quantize_weight(w, scheme);
    ASSERT_NEAR(std::abs(x.row(0).dot(w.row(0))), 32768.0F, 1.0F);
    EXPECT_TRUE(within(multiply(linear, codes, 0, {}), product(x, w, {})));
  }
}

TEST_F(IntegerLinears, OfNoTokensAreNothing) {
  ActivationCodes codes;
  codes.assign(Matrix(0, depth), scale, quantizer_of({.bits = 8}));
  EXPECT_EQ(codes.tokens(), 0);
  EXPECT_EQ(multiply(IntegerLinear(weight, scale, tensors, {.bits = 8}), codes, 0, bias).rows(), 0);
}

TEST_F(IntegerLinears, AreOnlyOfCodesWithOneStepARow) {
  const TensorScheme weights{.bits = 8, .granularity = Granularity::per_channel};
  ASSERT_TRUE(has_integer_weights(weights, longest_integer_depth));
  EXPECT_FALSE(has_integer_weights(weights, longest_integer_depth + 1));
  TensorScheme groups = weights;
  groups.granularity = Granularity::per_group;
  EXPECT_FALSE(has_integer_weights(groups, depth));

  const TensorScheme tokens_alone{.bits = 8, .granularity = Granularity::per_token};
  ASSERT_TRUE(has_integer_inputs(tokens_alone));
  std::vector<TensorScheme> others(4, tokens_alone);
  others[0].bits = unquantized_bits;
  others[1].codes = Codes::logarithmic;
  others[2].codes = Codes::two_range;
  others[3].outlier_threshold = 6.0;
  for (const Granularity granularity : {Granularity::per_group, Granularity::per_channel,
                                        Granularity::per_head, Granularity::per_embedding_group}) {
    others.push_back({.bits = 8, .granularity = granularity});
  }
  for (const TensorScheme& scheme : others) {
    EXPECT_FALSE(has_integer_inputs(scheme)) << text_of(scheme) << " " << name_of(scheme.codes);
    EXPECT_FALSE(has_integer_products(weights, scheme, depth));
  }
  EXPECT_TRUE(has_integer_products(weights, tokens_alone, depth));
  EXPECT_FALSE(has_integer_products(groups, tokens_alone, depth));
}

}  // namespace
}  // namespace evenkeel
