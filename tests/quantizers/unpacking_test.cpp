// What damaged tensors say. Lost: the linear as a whole; nothing is guessed.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/packing.h"
#include "support/random_matrix.h"
#include "support/stored_parts.h"

namespace evenkeel {
namespace {

using support::stored_parts;
using support::StoredParts;

class Damage : public testing::Test {
 protected:
  static std::string message_of(const StoredParts& tensors, const Scheme& scheme) {
    try {
      unpack(tensors, "m", 2, 16, scheme);
      unpack_input(tensors, "m", scheme);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  static StoredParts intact(const Scheme& scheme) {
    const auto weight = quantize_weight(support::random_matrix(2, 16, 3), scheme.weights);
    if (!input_is_stored(scheme.activations)) return stored_parts(weight, scheme);
    const ActivationQuantizer input(scheme.activations, {{-1.0F, 1.0F}});
    return stored_parts(weight, scheme, &input);
  }
  static constexpr std::string_view advice =
      "; the checkpoint is damaged, or its quantization_config belongs to another one";

  Scheme w6a6 = scheme_named("w6a6").value();
};

TEST_F(Damage, NoneIsNoError) { EXPECT_EQ(message_of(intact(w6a6), w6a6), "no error"); }

TEST_F(Damage, AnotherShapeOrDtype) {
  StoredParts tensors = intact(w6a6);
  tensors.tensor("m.weight").shape = {16, 2};
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight': expected I8 [2, 16], got I8 [16, 2]" + std::string(advice));
  tensors = intact(w6a6);
  tensors.tensor("m.weight_scale").dtype = DType::I32;
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight_scale': expected F32 [2, 1], got I32 [2, 1]" + std::string(advice));
}

TEST_F(Damage, ACodeOrZeroPointBeyondTheBits) {
  StoredParts tensors = intact(w6a6);
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
  StoredParts tensors = intact(w6a6);
  tensors.bytes("m.weight")[0] = static_cast<std::byte>(std::uint8_t{256 - 32});
  EXPECT_EQ(message_of(tensors, w6a6),
            "tensor 'm.weight' (file offset 1000): code 0 is -32, outside -31 .. 31 of the scheme" +
                std::string(advice));
}

TEST_F(Damage, AGroupThatCannotBe) {
  StoredParts tensors = intact(w6a6);
  w6a6.weights.granularity = Granularity::per_group;
  w6a6.weights.group_size = 5;
  EXPECT_EQ(message_of(tensors, w6a6), "'m.weight' is not stored by its scheme: " +
                                           *packing_fault(w6a6.weights, 16) + std::string(advice));
}

TEST_F(Damage, AStepThatIsNotPositive) {
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    for (const char* name : {"m.weight_scale", "m.input_scale"}) {
      StoredParts tensors = intact(w6a6);
      encode_floats(DType::F32, {&wrong, 1}, std::span(tensors.bytes(name)).first(4));
      EXPECT_TRUE(
          message_of(tensors, w6a6)
              .starts_with("tensor '" + std::string(name) + "' (file offset 1000): step 0 is "))
          << message_of(tensors, w6a6);
    }
  }
}

// The same of words: 2 rows of 2 words, zero points 2 to a word.
class WordDamage : public Damage {
 protected:
  WordDamage() {
    w4a16 = w6a6;
    w4a16.weights.bits = 4;
    w4a16.activations.bits = unquantized_bits;
  }
  Scheme w4a16;
};

TEST_F(WordDamage, NoneIsNoError) { EXPECT_EQ(message_of(intact(w4a16), w4a16), "no error"); }

TEST_F(WordDamage, AnotherShapeOrDtype) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{4, 1}, {2, 3}, {2}, {2, 2, 1}, {}}) {
    StoredParts tensors = intact(w4a16);
    tensors.tensor("m.weight_packed").shape = shape;
    EXPECT_TRUE(message_of(tensors, w4a16)
                    .starts_with("tensor 'm.weight_packed': expected I32 [2, 2], got I32 ["));
  }
  StoredParts tensors = intact(w4a16);
  tensors.tensor("m.weight_packed").dtype = DType::F32;
  EXPECT_EQ(message_of(tensors, w4a16),
            "tensor 'm.weight_packed': expected I32 [2, 2], got F32 [2, 2]" + std::string(advice));
  tensors = intact(w4a16);
  tensors.tensor("m.weight_shape").dtype = DType::I32;
  EXPECT_EQ(message_of(tensors, w4a16),
            "tensor 'm.weight_shape': expected I64 [2], got I32 [2]" + std::string(advice));
  tensors = intact(w4a16);
  tensors.tensor("m.weight_zero_point").shape = {2, 1};
  EXPECT_EQ(
      message_of(tensors, w4a16),
      "tensor 'm.weight_zero_point': expected I32 [1, 1], got I32 [2, 1]" + std::string(advice));
}

TEST_F(WordDamage, AShapeThatLies) {
  for (const std::size_t byte : {0U, 7U, 8U, 15U}) {
    StoredParts tensors = intact(w4a16);
    tensors.bytes("m.weight_shape")[byte] = std::byte{0xFF};
    EXPECT_TRUE(message_of(tensors, w4a16)
                    .starts_with("tensor 'm.weight_shape' (file offset 1000): expected [2, 16], "
                                 "got ["))
        << message_of(tensors, w4a16);
  }
}

TEST_F(WordDamage, ASymmetricCodeThatNoneHas) {
  w4a16.weights.symmetric = true;
  StoredParts tensors = intact(w4a16);
  tensors.bytes("m.weight_packed")[1] &= std::byte{0xF0};
  EXPECT_EQ(message_of(tensors, w4a16),
            "tensor 'm.weight_packed' (file offset 1000): code 2 is -8, outside -7 .. 7 of the "
            "scheme" +
                std::string(advice));
}

TEST_F(WordDamage, BitsThatBelongToNoCode) {
  for (std::size_t bit = 8; bit < 32; ++bit) {  // two zero points take the first eight
    StoredParts tensors = intact(w4a16);
    tensors.bytes("m.weight_zero_point")[bit / 8] |= static_cast<std::byte>(1U << bit % 8);
    EXPECT_EQ(message_of(tensors, w4a16),
              "tensor 'm.weight_zero_point' (file offset 1000): bits that belong to no code are "
              "set, expected 0" +
                  std::string(advice));
  }
}

TEST_F(WordDamage, BytesWhereWordsAreExpected) {
  Scheme w4a4 = w4a16;
  w4a4.activations.bits = 4;
  EXPECT_EQ(message_of(intact(w4a4), w4a16), "tensor 'm.weight_packed' is missing");
  EXPECT_EQ(message_of(intact(w4a16), w4a4), "tensor 'm.weight' is missing");
}

}  // namespace
}  // namespace evenkeel
