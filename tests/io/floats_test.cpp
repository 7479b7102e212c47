#include "io/floats.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

#include "support/each_target.h"

namespace evenkeel {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

class FloatsTest : public support::EachTarget {};
INSTANTIATE_TEST_SUITE_P(Targets, FloatsTest, support::each_target(), support::target_name);

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

std::vector<std::uint16_t> every_half() {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  return halves;
}

std::vector<float> decoded(DType dtype, const std::vector<std::uint16_t>& halves) {
  std::vector<float> values(halves.size());
  decode_floats(dtype, std::as_bytes(std::span(halves)), values);
  return values;
}

std::vector<std::uint16_t> encoded(DType dtype, const std::vector<float>& values) {
  std::vector<std::uint16_t> halves(values.size());
  encode_floats(dtype, values, std::as_writable_bytes(std::span(halves)));
  return halves;
}

// Where rounding can go wrong: every half, the point halfway to the next, and the floats beside
// both; then random bits, NaN and subnormals of float among them.
std::vector<float> telling_values(DType dtype) {
  std::vector<float> values;
  for (const float value : decoded(dtype, every_half())) {
    if (!std::isfinite(value)) continue;
    const float up =
        decoded(dtype, {static_cast<std::uint16_t>(encoded(dtype, {value})[0] + 1)})[0];
    const float halfway = std::isfinite(up)
                              ? static_cast<float>((double{value} + double{up}) / 2)
                              : std::copysign(dtype == DType::F16 ? 65520.0F : 0x1.FFp127F, value);
    for (const float centre : {value, halfway}) {
      values.insert(values.end(),
                    {centre, std::nextafter(centre, infinity), std::nextafter(centre, -infinity)});
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  }
  return values;
}

TEST_P(FloatsTest, EveryF16DecodesAsEigenDoes) {
  const std::vector<std::uint16_t> halves = every_half();

  const std::vector<float> values = decoded(DType::F16, halves);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const auto expected = static_cast<float>(std::bit_cast<Eigen::half>(halves[i]));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i])) << i;
      ASSERT_EQ(std::signbit(values[i]), (halves[i] & 0x8000U) != 0) << i;
    } else {
      ASSERT_EQ(bits_of(values[i]), bits_of(expected)) << i;
    }
    ASSERT_EQ(bits_of(values[i]), bits_of(reference::decode_f16(halves[i]))) << i;
  }
}

TEST_P(FloatsTest, EveryBf16IsTheUpperHalfOfAFloat) {
  const std::vector<std::uint16_t> halves = every_half();

  const std::vector<float> values = decoded(DType::BF16, halves);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    ASSERT_EQ(bits_of(values[i]), static_cast<std::uint32_t>(halves[i]) << 16);
  }
}

TEST_P(FloatsTest, EveryHalfComesBack) {
  for (const DType dtype : {DType::F16, DType::BF16}) {
    const std::uint16_t quiet = dtype == DType::F16 ? 0x0200 : 0x0040;

    const std::vector<float> values = decoded(dtype, every_half());
    const std::vector<std::uint16_t> halves = encoded(dtype, values);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      ASSERT_EQ(halves[i], std::isnan(values[i]) ? i | quiet : i) << name_of(dtype);
    }
  }
}

TEST_P(FloatsTest, F16RoundsAsEigenDoes) {
  const std::vector<float> values = telling_values(DType::F16);

  const std::vector<std::uint16_t> halves = encoded(DType::F16, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(reference::encode_f16(values[i]), halves[i]) << values[i];
    if (std::isnan(values[i])) {
      // Eigen drops the payload; a quiet NaN of the same sign is asked for.
      const std::uint32_t sign = (bits_of(values[i]) >> 16) & 0x8000U;
      ASSERT_EQ(halves[i] & 0xfe00U, sign | 0x7e00U);
    } else {
      ASSERT_EQ(halves[i], std::bit_cast<std::uint16_t>(Eigen::half(values[i]))) << values[i];
    }
  }
}

// BF16 is a float with 16 bits less: of the two neighbours, the nearer, or else the even one, found
// in double, where every step is exact.
std::uint16_t nearest_bf16(float value) {
  const auto down = static_cast<std::uint16_t>(bits_of(value) >> 16);
  if (std::isnan(value)) return down | 0x0040U;
  if (std::isinf(value)) return down;
  const auto up = static_cast<std::uint16_t>(down + 1);
  const double low = std::abs(reference::decode_bf16(down));
  const double next = std::abs(reference::decode_bf16(up));
  const double high = std::isinf(next) ? 0x1p128 : next;
  const double magnitude = std::abs(value);
  if (magnitude - low != high - magnitude) return magnitude - low < high - magnitude ? down : up;
  return (down & 1U) == 0 ? down : up;
}

TEST_P(FloatsTest, Bf16RoundsToTheNearestHalfToEven) {
  const std::vector<float> values = telling_values(DType::BF16);

  const std::vector<std::uint16_t> halves = encoded(DType::BF16, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(halves[i], nearest_bf16(values[i])) << values[i];
    ASSERT_EQ(reference::encode_bf16(values[i]), halves[i]) << values[i];
  }
}

// Bit patterns from IEEE 754-2019, table 3.5, and from the definition of bfloat16.
TEST_P(FloatsTest, KnownValues) {
  const std::vector<float> values{1.0F,       -2.0F,    65504.0F,    0x1p-14F,
                                  0x1p-24F,   0x1p-25F, 0x1.8p-25F,  65520.0F,
                                  65519.996F, -0.0F,    1.0F / 3.0F, -infinity};
  EXPECT_EQ(encoded(DType::F16, values),
            (std::vector<std::uint16_t>{0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x0000, 0x0001,
                                        0x7c00, 0x7bff, 0x8000, 0x3555, 0xfc00}));
  EXPECT_EQ(
      encoded(DType::BF16,
              {1.0F, -2.0F, 1.0F / 3.0F, 0x1.01p0F, 0x1.03p0F, 0x1.FFp127F, 0x1p-149F, infinity}),
      (std::vector<std::uint16_t>{0x3f80, 0xc000, 0x3eab, 0x3f80, 0x3f82, 0x7f80, 0x0000, 0x7f80}));
}

TEST_P(FloatsTest, EveryLengthAndAlignmentGivesTheSame) {
  std::vector<float> values(80);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 1.37F - 50.0F;

  for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
    for (std::size_t count = 0; count <= values.size(); ++count) {
      for (std::size_t shift = 0; shift < 4; ++shift) {
        const auto some = std::span(values).first(count);
        const std::size_t size = count * size_of(dtype);
        std::vector<std::byte> buffer(shift + size + 1, std::byte{0x5a});
        encode_floats(dtype, some, std::span(buffer).subspan(shift, size));
        ASSERT_EQ(buffer.back(), std::byte{0x5a}) << "wrote beyond the end";
        std::vector<float> back(count + 1, 7.0F);
        decode_floats(dtype, std::span(buffer).subspan(shift, size), std::span(back).first(count));
        ASSERT_EQ(back.back(), 7.0F) << "wrote beyond the end";
        for (std::size_t i = 0; i < count; ++i) {
          const float expected = dtype == DType::F32 ? values[i]
                                 : dtype == DType::F16
                                     ? reference::decode_f16(reference::encode_f16(values[i]))
                                     : reference::decode_bf16(reference::encode_bf16(values[i]));
          ASSERT_EQ(back[i], expected) << name_of(dtype) << ' ' << count << ' ' << i;
        }
      }
    }
  }
}

TEST_P(FloatsTest, TheFirstValueThatIsNotFiniteIsFoundAnywhere) {
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<float> values(count, std::numeric_limits<float>::max());
    EXPECT_EQ(first_not_finite(values), std::nullopt);
    for (std::size_t i = 0; i < count; ++i) {
      for (const float bad : {nan, -nan, infinity, -infinity}) {
        std::vector<float> with_bad = values;
        with_bad[i] = bad;
        with_bad.back() = bad;  // the first is asked for
        EXPECT_EQ(first_not_finite(with_bad), i);
      }
    }
  }
}

TEST_P(FloatsTest, WhatAFormatCannotHoldIsFound) {
  const float f16_limit = 65520.0F;      // half to even: becomes 65536
  const float bf16_limit = 0x1.FFp127F;  // likewise

  for (std::size_t count = 1; count < 40; ++count) {
    for (const float sign : {1.0F, -1.0F}) {
      std::vector<float> values(count, sign * std::nextafter(f16_limit, 0.0F));
      EXPECT_EQ(first_not_representable(DType::F16, values), std::nullopt);
      values.back() = sign * f16_limit;
      EXPECT_EQ(first_not_representable(DType::F16, values), count - 1);
      EXPECT_EQ(first_not_representable(DType::BF16, values), std::nullopt);
      values.back() = sign * bf16_limit;
      EXPECT_EQ(first_not_representable(DType::BF16, values), count - 1);
      EXPECT_EQ(first_not_representable(DType::F32, values), std::nullopt);
      values.back() = std::nextafter(bf16_limit, 0.0F);
      EXPECT_EQ(first_not_representable(DType::BF16, values), std::nullopt);
    }
  }
  // Infinity and NaN are kept, so that they are not lost.
  EXPECT_EQ(first_not_representable(DType::F16, std::array{infinity, nan, -infinity}),
            std::nullopt);
}

}  // namespace
}  // namespace evenkeel
