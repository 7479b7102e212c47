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

namespace evenkeel {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value & 0xFF));
  return result;
}

// Packed tensors in memory, to be read back or damaged.
class Stored : public PackedSource {
 public:
  Stored(const std::vector<TensorPlan>& plan, std::vector<PackedTensor> packed)
      : packed_(std::move(packed)) {
    for (std::size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(packed_[i].name, plan[i].name);
      EXPECT_EQ(packed_[i].bytes.size(), bytes_of(plan[i].dtype, plan[i].shape));
      tensors_.push_back({.name = plan[i].name,
                          .dtype = plan[i].dtype,
                          .shape = plan[i].shape,
                          .bytes = packed_[i].bytes,
                          .file_offset = 1000});
    }
    EXPECT_EQ(packed_.size(), plan.size());
  }
  // Tensors point into the bytes, which moving keeps where they are.
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;
  Stored(Stored&&) = default;
  Stored& operator=(Stored&&) = default;
  ~Stored() override = default;

  const StoredTensor& at(std::string_view name) const override { return tensors_[position(name)]; }
  StoredTensor& tensor(std::string_view name) { return tensors_[position(name)]; }
  Bytes& bytes(std::string_view name) { return packed_[position(name)].bytes; }

 private:
  std::size_t position(std::string_view name) const {
    const auto found =
        std::ranges::find_if(tensors_, [&](const auto& tensor) { return tensor.name == name; });
    if (found == tensors_.end()) throw InputError("tensor '" + std::string(name) + "' is missing");
    return static_cast<std::size_t>(found - tensors_.begin());
  }

  std::vector<PackedTensor> packed_;
  std::vector<StoredTensor> tensors_;
};

Stored stored(const QuantizedWeight& weight, const Scheme& scheme,
              const ActivationQuantizer* input = nullptr) {
  return {packed_plan("m", weight.rows, weight.columns, scheme), pack("m", weight, scheme, input)};
}

Scheme with_weights(const TensorScheme& weights) {
  Scheme scheme;
  scheme.weights = weights;
  scheme.activations = {.granularity = Granularity::per_token};
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
  Stored tensors = stored(weight, scheme);
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
  Stored tensors = stored(weight, scheme);
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
  Stored tensors = stored(weight, scheme);
  EXPECT_EQ(tensors.bytes("m.weight"), bytes({-8, 7, 0, -1, -7, -6, -5, -4}));
  EXPECT_EQ(tensors.tensor("m.weight_scale").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.tensor("m.weight_zero_point").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.bytes("m.weight_zero_point"), bytes({-7, 7, -1, -8}));
}

TEST(Packing, TheInputsRangeIsStoredWhenItIsStatic) {
  Scheme scheme = with_weights({.granularity = Granularity::per_channel});
  scheme.activations = {.bits = 6, .range = RangeEstimator::average_minmax};
  const ActivationQuantizer input(scheme.activations, {{-1.0F, 5.3F}});
  Stored tensors =
      stored(quantize_weight(support::random_matrix(4, 5, 1), scheme.weights), scheme, &input);
  EXPECT_EQ(tensors.tensor("m.input_scale").shape, std::vector<std::int64_t>{1});
  EXPECT_EQ(float_at(tensors.bytes("m.input_scale"), 0), input.parameters()[0].step);
  EXPECT_EQ(tensors.bytes("m.input_zero_point"), bytes({10 - 32}));  // 1 / (6.3 / 63) = 10
  EXPECT_EQ(unpack_input(tensors, "m", scheme), input.parameters()[0]);
}

class EveryPacking : public testing::TestWithParam<TensorScheme> {};

TEST_P(EveryPacking, ReadsBackAsItWas) {
  const Scheme scheme = with_weights(GetParam());
  for (const auto& [rows, columns] : {std::pair<Index, Index>{1, 16}, {37, 48}, {8, 32}}) {
    const auto weight = quantize_weight(support::random_matrix(rows, columns, 2), scheme.weights);
    const Stored tensors = stored(weight, scheme);
    const auto back = unpack(tensors, "m", rows, columns, scheme);
    EXPECT_EQ(back.scheme, weight.scheme);
    EXPECT_EQ(back.rows, rows);
    EXPECT_EQ(back.columns, columns);
    EXPECT_EQ(back.codes, weight.codes);
    EXPECT_EQ(back.steps, weight.steps);
    EXPECT_EQ(back.zero_points, weight.zero_points);
  }
}

std::vector<TensorScheme> every_scheme() {
  std::vector<TensorScheme> schemes;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const bool symmetric : {false, true}) {
      for (const auto granularity :
           {Granularity::per_tensor, Granularity::per_channel, Granularity::per_group}) {
        schemes.push_back(
            {.bits = bits, .granularity = granularity, .symmetric = symmetric, .group_size = 16});
      }
    }
  }
  return schemes;
}

INSTANTIATE_TEST_SUITE_P(Packing, EveryPacking, testing::ValuesIn(every_scheme()),
                         [](const auto& scheme) {
                           return std::string(name_of(scheme.param.granularity)) + "_" +
                                  std::to_string(scheme.param.bits) +
                                  (scheme.param.symmetric ? "_symmetric" : "");
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

// What damage says. Lost: the linear as a whole; nothing is guessed.
class Damage : public testing::Test {
 protected:
  static std::string message_of(const Stored& tensors, const Scheme& scheme) {
    try {
      unpack(tensors, "m", 2, 16, scheme);
      unpack_input(tensors, "m", scheme);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  static Stored intact(const Scheme& scheme) {
    const ActivationQuantizer input(scheme.activations, {{-1.0F, 1.0F}});
    return stored(quantize_weight(support::random_matrix(2, 16, 3), scheme.weights), scheme,
                  &input);
  }
  static constexpr std::string_view advice =
      "; the checkpoint is damaged, or its quantization_config belongs to another one";

  Scheme w6a6 = scheme_named("w6a6").value();
};

TEST_F(Damage, NoneIsNoError) { EXPECT_EQ(message_of(intact(w6a6), w6a6), "no error"); }

TEST_F(Damage, AnotherShapeOrDtype) {
  Stored tensors = intact(w6a6);
  tensors.tensor("m.weight").shape = {16, 2};
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight': expected I8 [2, 16], got I8 [16, 2]" + std::string(advice));
  tensors = intact(w6a6);
  tensors.tensor("m.weight_scale").dtype = DType::I32;
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight_scale': expected F32 [2, 1], got I32 [2, 1]" + std::string(advice));
}

TEST_F(Damage, ACodeOrZeroPointBeyondTheBits) {
  Stored tensors = intact(w6a6);
  tensors.bytes("m.weight")[5] = std::byte{32};
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight' (file offset 1000): code 5 is 64, outside 0 .. 63 of the scheme" +
                std::string(advice));
  tensors = intact(w6a6);
  tensors.bytes("m.weight_zero_point")[1] = std::byte{0xDF};
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight_zero_point' (file offset 1000): zero point 1 is -1, outside 0 .. 63 "
            "of the scheme" +
                std::string(advice));
  tensors = intact(w6a6);
  tensors.bytes("m.input_zero_point")[0] = std::byte{100};
  EXPECT_NE(message_of(tensors, w6a6), "no error");
}

TEST_F(Damage, ASymmetricByteThatNoCodeHas) {
  w6a6.weights.symmetric = true;
  Stored tensors = intact(w6a6);
  tensors.bytes("m.weight")[0] = static_cast<std::byte>(std::uint8_t{256 - 32});
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight' (file offset 1000): code 0 is -32, outside -31 .. 31 of the scheme" +
                std::string(advice));
}

TEST_F(Damage, AGroupThatCannotBe) {
  Stored tensors = intact(w6a6);
  w6a6.weights.granularity = Granularity::per_group;
  w6a6.weights.group_size = 5;
  EXPECT_EQ(message_of(tensors, w6a6), "'m.weight' is not stored by its scheme: " +
                                           *packing_fault(w6a6.weights, 16) + std::string(advice));
}

TEST_F(Damage, AStepThatIsNotPositive) {
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    for (const char* name : {"m.weight_scale", "m.input_scale"}) {
      Stored tensors = intact(w6a6);
      encode_floats(DType::F32, {&wrong, 1}, std::span(tensors.bytes(name)).first(4));
      EXPECT_TRUE(
          message_of(tensors, w6a6)
              .starts_with("tensor '" + std::string(name) + "' (file offset 1000): step 0 is "))
          << message_of(tensors, w6a6);
    }
  }
}

}  // namespace
}  // namespace evenkeel
