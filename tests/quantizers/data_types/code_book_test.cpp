#include "quantizers/data_types/code_book.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/data_types/data_type.h"
#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

using CodeBytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float largest = std::numeric_limits<float>::max();

struct NamedBook {
  std::string name;
  Floats values;
};
// Every data type at every width, and books that only a tensor's quantiles give.
std::vector<NamedBook> all_books() {
  std::vector<NamedBook> books;
  const auto add = [&](const TensorScheme& scheme) {
    books.push_back({std::string(name_of(scheme.codes)), data_type_values(scheme)});
  };
  for (int bits = 2; bits <= 8; ++bits) {
    add({.bits = bits, .codes = Codes::linear});
    if (bits < 3) continue;
    add({.bits = bits, .codes = Codes::dynamic});
    for (int exponent = 1; exponent <= std::min(bits - 1, 4); ++exponent) {
      add({.bits = bits, .codes = Codes::floating, .exponent_bits = exponent});
    }
  }
  add({.bits = 4, .codes = Codes::nf4});
  add({.bits = 4, .codes = Codes::fp4});
  for (const Index size : {1, 4, 16, 17, 18, 256}) {
    const Vector random = support::random_vector(size, static_cast<std::uint32_t>(size));
    Floats values(random.begin(), random.end());
    values[0] = 0.0F;
    std::ranges::sort(values);
    books.push_back({"random " + std::to_string(size), values});
  }
  books.push_back({"zeros", Floats(16, 0.0F)});
  return books;
}

Floats meanings_of(const Floats& values, float absmax) {
  Floats meanings;
  for (const float value : values) meanings.push_back(absmax == 0.0F ? value : absmax * value);
  return meanings;
}
// Whether x lies above the middle of two floats. A sum that is rounded lies on the side of twice x
// that the exact one does, or equals it; then what rounding took decides (Knuth's two-sum).
bool is_above_middle(double lower, double upper, double x) {
  const double sum = lower + upper;
  const double part = sum - lower;
  const double rest = (lower - (sum - part)) + (upper - part);
  return 2.0 * x == sum ? rest < 0.0 : 2.0 * x > sum;
}

// By trying every code, the smaller of two alike.
std::size_t brute_force(const Floats& meanings, float x) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < meanings.size(); ++i) {
    if (meanings[i] != meanings[best] && is_above_middle(meanings[best], meanings[i], x)) best = i;
  }
  return best;
}

// Codes that mean the same are equally good.
void expect_nearest(const NamedBook& book, float absmax, const Floats& x) {
  CodeBytes codes(x.size(), 255);
  CodeBook(book.values).encode(x, absmax, codes);
  const Floats meanings = meanings_of(book.values, absmax);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_LT(codes[i], meanings.size());
    const std::size_t expected = brute_force(meanings, absmax == 0.0F ? 0.0F : x[i]);
    ASSERT_EQ(meanings[codes[i]], meanings[expected])
        << book.name << " of " << meanings.size() << ", absmax " << absmax << ": " << x[i] << " at "
        << i << " is code " << int{codes[i]} << ", expected " << expected;
    ASSERT_EQ(codes[i], reference::nearest_code(book.values, absmax, x[i])) << book.name;
  }
}

Floats random_block(std::size_t size, float absmax, std::uint32_t seed) {
  const Vector values = support::random_vector(static_cast<Index>(size), seed, -1.1F, 1.1F);
  Floats block;
  for (const float value : values) block.push_back(value * absmax);
  return block;
}

// Around each middle: itself, its neighbours, and as far from it as rounding is allowed for.
Floats hard_values(const Floats& values, float absmax) {
  const Floats meanings = meanings_of(values, absmax);
  Floats x{0.0F, -0.0F, denormal, -denormal, absmax, -absmax, 1.5F * absmax, -7.0F * absmax};
  for (std::size_t i = 0; i + 1 < meanings.size(); ++i) {
    const double exact = (static_cast<double>(meanings[i]) + meanings[i + 1]) / 2.0;
    const auto middle = static_cast<float>(exact);
    for (const float value : {meanings[i], middle, std::nextafter(middle, -infinity),
                              std::nextafter(middle, infinity)}) {
      x.push_back(value);
    }
    for (const double distance : {0x1p-22, 0x1p-21, 0x1p-20, 0x1p-19}) {
      x.push_back(static_cast<float>(exact * (1.0 + distance)));
      x.push_back(static_cast<float>(exact * (1.0 - distance)));
    }
  }
  return x;
}

class CodeBookKernel : public support::EachTarget {};

TEST_P(CodeBookKernel, GivesTheNearestOfRandomBlocks) {
  std::uint32_t seed = 1;
  for (const NamedBook& book : all_books()) {
    for (const float absmax : {1.0F, 0.3F, 77.7F, 65504.0F, 0x1p-14F, 0x1.8p-24F, 1e-30F, 1e30F}) {
      expect_nearest(book, absmax, random_block(500, absmax, ++seed));
    }
  }
}

TEST_P(CodeBookKernel, GivesTheNearestAroundTheMiddles) {
  for (const NamedBook& book : all_books()) {
    for (const float absmax : {1.0F, 0.3F, 0.7F, 1.1F, 77.7F, 65504.0F, 0x1.554p-24F, 0x1p-24F}) {
      expect_nearest(book, absmax, hard_values(book.values, absmax));
    }
  }
}

TEST_P(CodeBookKernel, ATieGoesToTheSmallerCode) {
  const CodeBook book({-1.0F, -0.5F, 0.0F, 0.25F, 1.0F});
  const Floats x{-1.5F, -0.5F, 0.25F, 1.25F, std::nextafter(0.25F, 1.0F), -1e30F, 1e30F};
  CodeBytes codes(x.size());
  book.encode(x, 2.0F, codes);
  EXPECT_EQ(codes, (CodeBytes{0, 1, 2, 3, 3, 0, 4}));
}

TEST_P(CodeBookKernel, ConstantsAtBothEndsOfTheFloats) {
  for (const NamedBook& book : all_books()) {
    for (const float absmax : {denormal, 3.0F * denormal, 77.0F * denormal, 0x1p-126F, 1e-37F,
                               0x1p-101F, 0x1.fffffep-101F, 0x1p100F, 0x1.8p100F, largest}) {
      Floats x = hard_values(book.values, absmax);
      std::erase_if(x, [](float value) { return !std::isfinite(value); });
      expect_nearest(book, absmax, x);
      expect_nearest(book, absmax, {largest, -largest, 1.0F, -1.0F, denormal, -denormal});
    }
  }
}

// Floats of more exponent bits have values far below those of other data types.
TEST_P(CodeBookKernel, ValuesNearTheLeastFloats) {
  for (int exponent = 5; exponent <= 7; ++exponent) {
    const TensorScheme scheme{.bits = 8, .codes = Codes::floating, .exponent_bits = exponent};
    const Floats values = data_type_values(scheme);
    for (const float absmax : {1.0F, 0.7F, 0x1.554p-24F, 0x1.4p-14F}) {
      expect_nearest({"float", values}, absmax, hard_values(values, absmax));
    }
  }
}

TEST_P(CodeBookKernel, OfNothingTheCodesMeanPlusZero) {
  for (const NamedBook& book : all_books()) {
    const CodeBook kernel(book.values);
    const Floats x{0.0F, -0.0F, 0.5F, -0.5F, denormal, 1e30F, 0.0F, 0.0F, 0.0F, 0.0F, -3.0F};
    CodeBytes codes(x.size());
    kernel.encode(x, 0.0F, codes);
    for (const std::uint8_t code : codes) EXPECT_EQ(book.values[code], 0.0F) << book.name;
    Floats out(x.size(), 7.0F);
    kernel.decode(codes, 0.0F, 0.0F, out);
    for (const float value : out) EXPECT_EQ(std::bit_cast<std::uint32_t>(value), 0U) << book.name;
  }
}

TEST_P(CodeBookKernel, OneOutlierLeavesTheRestNextToZero) {
  for (const NamedBook& book : all_books()) {
    Floats x = random_block(64, 0.02F, 9);
    x[41] = -1000.0F;
    expect_nearest(book, 1000.0F, x);
  }
}
TEST_P(CodeBookKernel, EveryLengthAndNothingBeyondIt) {
  for (const int bits : {3, 4, 8}) {
    const CodeBook book(data_type_values({.bits = bits, .codes = Codes::dynamic}));
    const Floats meanings = meanings_of({book.values().begin(), book.values().end()}, 0.3F);
    for (std::size_t size = 0; size <= 40; ++size) {
      const Floats x = random_block(size, 0.3F, static_cast<std::uint32_t>(size + 1));
      CodeBytes codes(size + 1, 250);
      book.encode(x, 0.3F, std::span(codes).first(size));
      Floats out(size + 1, 7.0F);
      book.decode(std::span(codes).first(size), 0.25F, 0.125F, std::span(out).first(size));
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(codes[i], brute_force(meanings, x[i]));
        ASSERT_EQ(out[i], 0.25F * book.values()[codes[i]] + 0.125F);
      }
      EXPECT_EQ(codes[size], 250);
      EXPECT_EQ(out[size], 7.0F);
    }
  }
}

TEST_P(CodeBookKernel, TheLargestMagnitudeWhereverItIs) {
  for (std::size_t size = 0; size <= 40; ++size) {
    EXPECT_EQ(largest_magnitude(Floats(size, -0.0F)), 0.0F);
    for (std::size_t place = 0; place < size; ++place) {
      Floats values(size, 0.5F);
      values[place] = -0.75F;
      ASSERT_EQ(largest_magnitude(values), 0.75F) << place << " of " << size;
    }
  }
}

// A product and a sum, each rounded to float: the same numbers wherever they are computed.
TEST_P(CodeBookKernel, DecodingRoundsTwice) {
  for (const NamedBook& book : all_books()) {
    CodeBytes codes(book.values.size());
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(i);
    for (const float absmax : {1.0F, 0.3F, 77.7F, 65504.0F, 0x1p-24F, denormal}) {
      for (const float mean : {0.0F, 0.1F, -0.0007F, 1000.0F}) {
        Floats out(codes.size());
        CodeBook(book.values).decode(codes, absmax, mean, out);
        for (std::size_t i = 0; i < out.size(); ++i) {
          // Two factors of 24 bits have an exact product in double.
          const auto product =
              static_cast<float>(static_cast<double>(absmax) * static_cast<double>(book.values[i]));
          const auto sum = static_cast<float>(static_cast<double>(product) + mean);
          ASSERT_EQ(out[i], sum) << book.name << ", absmax " << absmax << ", mean " << mean;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CodeBookKernel, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
