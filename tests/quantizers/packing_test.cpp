// Bytes worked out by hand; tests/golden/packing_test.py has compressed-tensors itself read them.
#include "quantizers/packing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/floats.h"
#include "support/random_matrix.h"
#include "support/stored_parts.h"

namespace evenkeel {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value & 0xFF));
  return result;
}

using support::stored_parts;
using support::StoredParts;

Scheme with_weights(const TensorScheme& weights) {
  Scheme scheme;
  scheme.weights = weights;
  scheme.activations = {.granularity = Granularity::per_token};
  return scheme;
}

Scheme weights_alone(const TensorScheme& weights) {
  Scheme scheme = with_weights(weights);
  scheme.activations.bits = unquantized_bits;
  return scheme;
}

float float_at(const Bytes& values, std::size_t i) {
  float value = 0.0F;
  decode_floats(DType::F32, std::span(values).subspan(i * 4, 4), {&value, 1});
  return value;
}

TEST(Packing, ByteCodesAreMovedBelowZeroByHand) {
  const Scheme scheme = with_weights({.bits = 8, .granularity = Granularity::per_channel});
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 2,
                         .columns = 3,
                         .codes = {0, 128, 255, 1, 127, 200},
                         .steps = {0.5F, 0.25F},
                         .zero_points = {0, 255}};
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.tensor("m.weight").dtype, DType::I8);
  EXPECT_EQ(tensors.tensor("m.weight").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensors.bytes("m.weight"), bytes({-128, 0, 127, -127, -1, 72}));
  EXPECT_EQ(tensors.tensor("m.weight_scale").shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(float_at(tensors.bytes("m.weight_scale"), 1), 0.25F);
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(tensors.bytes("m.weight_zero_point"), bytes({-128, 127}));
}

TEST(Packing, SymmetricCodesAreStoredAsTheyAre) {
  const Scheme scheme = with_weights({.bits = 6, .symmetric = true});
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 1,
                         .columns = 3,
                         .codes = {-31, 0, 31},
                         .steps = {2.0F},
                         .zero_points = {0}};
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.bytes("m.weight"), bytes({-31, 0, 31}));
  EXPECT_EQ(tensors.tensor("m.weight_scale").shape, std::vector<std::int64_t>{1});
  EXPECT_THROW(tensors.at("m.weight_zero_point"), InputError);
}

TEST(Packing, EachGroupOfARowHasItsStepAndZeroPoint) {
  const Scheme scheme =
      with_weights({.bits = 4, .granularity = Granularity::per_group, .group_size = 2});
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 2,
                         .columns = 4,
                         .codes = {0, 15, 8, 7, 1, 2, 3, 4},
                         .steps = {1.0F, 2.0F, 3.0F, 4.0F},
                         .zero_points = {1, 15, 7, 0}};
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.bytes("m.weight"), bytes({-8, 7, 0, -1, -7, -6, -5, -4}));
  EXPECT_EQ(tensors.tensor("m.weight_scale").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.bytes("m.weight_zero_point"), bytes({-7, 7, -1, -8}));
}

TEST(Packing, TheInputsRangeIsStoredWhenItIsStatic) {
  Scheme scheme = with_weights({.granularity = Granularity::per_channel});
  scheme.activations = {.bits = 6, .range = RangeEstimator::average_minmax};
  const ActivationQuantizer input(scheme.activations, {{-1.0F, 5.3F}});
  StoredParts tensors = stored_parts(
      quantize_weight(support::random_matrix(4, 5, 1), scheme.weights), scheme, &input);
  EXPECT_EQ(tensors.tensor("m.input_scale").shape, std::vector<std::int64_t>{1});
  EXPECT_EQ(float_at(tensors.bytes("m.input_scale"), 0), input.parameters()[0].step);
  EXPECT_EQ(tensors.bytes("m.input_zero_point"), bytes({10 - 32}));  // 1 / (6.3 / 63) = 10
  EXPECT_EQ(unpack_input(tensors, "m", scheme), input.parameters()[0]);
}

TEST(Packing, AsymmetricCodesOfWeightsAloneShareWordsByHand) {
  const Scheme scheme = weights_alone({.bits = 4, .granularity = Granularity::per_channel});
  EXPECT_EQ(format_of(scheme), PackedFormat::pack_quantized);
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 2,
                         .columns = 9,
                         .codes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 0, 15, 0, 15, 0, 15, 0, 10},
                         .steps = {0.5F, 0.25F},
                         .zero_points = {7, 12}};
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.tensor("m.weight_packed").dtype, DType::I32);
  EXPECT_EQ(tensors.tensor("m.weight_packed").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.bytes("m.weight_packed"),
            bytes({0x21, 0x43, 0x65, 0x87, 9, 0, 0, 0, 0x0F, 0x0F, 0x0F, 0x0F, 10, 0, 0, 0}));
  EXPECT_EQ(tensors.tensor("m.weight_shape").dtype, DType::I64);
  EXPECT_EQ(tensors.tensor("m.weight_shape").shape, std::vector<std::int64_t>{2});
  EXPECT_EQ(tensors.bytes("m.weight_shape"),
            bytes({2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(tensors.tensor("m.weight_scale").shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").dtype, DType::I32);
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").shape, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(tensors.bytes("m.weight_zero_point"), bytes({0xC7, 0, 0, 0}));
  EXPECT_THROW(tensors.at("m.weight"), InputError);
}

TEST(Packing, SymmetricCodesOfWeightsAloneAreMovedAboveZero) {
  const Scheme scheme =
      weights_alone({.bits = 8, .granularity = Granularity::per_channel, .symmetric = true});
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 1,
                         .columns = 5,
                         .codes = {-127, 0, 127, 1, -1},
                         .steps = {2.0F},
                         .zero_points = {0}};
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.bytes("m.weight_packed"), bytes({1, 128, 255, 129, 127, 0, 0, 0}));
  EXPECT_THROW(tensors.at("m.weight_zero_point"), InputError);
}

TEST(Packing, ZeroPointsOfAGroupShareWordsDownTheRows) {
  const Scheme scheme =
      weights_alone({.bits = 4, .granularity = Granularity::per_group, .group_size = 2});
  QuantizedWeight weight{.scheme = scheme.weights,
                         .rows = 9,
                         .columns = 4,
                         .codes = std::vector<std::int16_t>(36),
                         .steps = std::vector<float>(18, 1.0F),
                         .zero_points = {}};
  for (int row = 0; row < 9; ++row) {
    weight.zero_points.push_back(row);
    weight.zero_points.push_back(15 - row);
  }
  StoredParts tensors = stored_parts(weight, scheme);
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.bytes("m.weight_zero_point"),
            bytes({0x10, 0x32, 0x54, 0x76, 0xEF, 0xCD, 0xAB, 0x89, 8, 0, 0, 0, 7, 0, 0, 0}));
}

TEST(Packing, WordsAreForWeightsAloneThatKernelsRead) {
  TensorScheme weights{.bits = 4, .granularity = Granularity::per_channel};
  EXPECT_EQ(format_of(with_weights(weights)), PackedFormat::int_quantized);
  // Other readers are not told of such activations: to them the weights are alone.
  Scheme unsaid = with_weights(weights);
  unsaid.activations.granularity = Granularity::per_channel;
  EXPECT_EQ(format_of(unsaid), PackedFormat::pack_quantized);
  for (const int bits : {2, 3, 5, 6, 7}) {
    weights.bits = bits;
    EXPECT_EQ(format_of(weights_alone(weights)), PackedFormat::int_quantized) << bits;
  }
  weights = {.bits = 8, .granularity = Granularity::per_tensor};
  EXPECT_EQ(format_of(weights_alone(weights)), PackedFormat::int_quantized);
}

class EveryPacking : public testing::TestWithParam<Scheme> {};

TEST_P(EveryPacking, ReadsBackAsItWas) {
  const Scheme& scheme = GetParam();
  for (const auto& [rows, columns] : {std::pair<Index, Index>{1, 16}, {37, 48}, {8, 32}, {3, 80}}) {
    const auto weight = quantize_weight(support::random_matrix(rows, columns, 2), scheme.weights);
    const StoredParts tensors = stored_parts(weight, scheme);
    const auto back = unpack(tensors, "m", rows, columns, scheme);
    EXPECT_EQ(back.scheme, weight.scheme);
    EXPECT_EQ(back.rows, rows);
    EXPECT_EQ(back.columns, columns);
    EXPECT_EQ(back.codes, weight.codes);
    EXPECT_EQ(back.steps, weight.steps);
    EXPECT_EQ(back.zero_points, weight.zero_points);
  }
}

std::vector<Scheme> every_scheme() {
  std::vector<Scheme> schemes;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const bool symmetric : {false, true}) {
      for (const auto granularity :
           {Granularity::per_tensor, Granularity::per_channel, Granularity::per_group}) {
        const TensorScheme weights{
            .bits = bits, .granularity = granularity, .symmetric = symmetric, .group_size = 16};
        schemes.push_back(with_weights(weights));
        schemes.push_back(weights_alone(weights));
      }
    }
  }
  return schemes;
}

INSTANTIATE_TEST_SUITE_P(Packing, EveryPacking, testing::ValuesIn(every_scheme()),
                         [](const auto& scheme) {
                           const TensorScheme& weights = scheme.param.weights;
                           return std::string(name_of(weights.granularity)) + "_" +
                                  std::to_string(weights.bits) +
                                  (weights.symmetric ? "_symmetric" : "") +
                                  (is_quantized(scheme.param.activations) ? "" : "_alone");
                         });

TEST(PackingFaults, SayWhatTheLayoutCannotHold) {
  const TensorScheme groups{.granularity = Granularity::per_group, .group_size = 128};
  EXPECT_FALSE(packing_fault(groups).has_value());
  EXPECT_FALSE(packing_fault(groups, 256).has_value());
  EXPECT_EQ(packing_fault(groups, 192),
            "group_size 128 does not divide its 192 input channels, and the compressed-tensors "
            "layout has no short groups; use a divisor such as 96");
  EXPECT_NE(packing_fault(groups, 64), std::nullopt);
  EXPECT_NE(packing_fault({.granularity = Granularity::per_token}), std::nullopt);
  EXPECT_NE(activations_fault({.granularity = Granularity::per_channel}), std::nullopt);
  for (const auto granularity :
       {Granularity::per_tensor, Granularity::per_token, Granularity::per_group}) {
    EXPECT_FALSE(activations_fault({.granularity = granularity}).has_value());
  }
  try {
    packed_plan("model.fc1", 768, 192, with_weights(groups));
    FAIL() << "planned what cannot be stored";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "'model.fc1.weight' cannot be stored: " + *packing_fault(groups, 192));
  }
}

}  // namespace
}  // namespace evenkeel
