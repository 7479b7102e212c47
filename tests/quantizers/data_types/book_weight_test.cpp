#include "quantizers/data_types/book_weight.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/data_types/data_type.h"
#include "quantizers/data_types/quantile_values.h"
#include "quantizers/weight_quantizer.h"
#include "support/expect_error.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

using Runs = std::vector<Index>;

float in_half(float value) { return reference::decode_f16(reference::encode_f16(value)); }

// A product and a sum, each rounded to float whatever the compiler fuses.
float meaning_of(float constant, float value, float mean) {
  const double product = static_cast<double>(constant) * static_cast<double>(value);
  return static_cast<float>(static_cast<double>(static_cast<float>(product)) + mean);
}

TensorScheme blocks(Codes codes) {
  return {.bits = 4, .granularity = Granularity::per_block, .codes = codes, .block_size = 16};
}

// Every type, granularity and option that a weight of a book may have.
std::vector<TensorScheme> all_schemes() {
  std::vector<TensorScheme> all;
  for (const Codes codes :
       {Codes::linear, Codes::floating, Codes::dynamic, Codes::quantile, Codes::nf4, Codes::fp4}) {
    for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel,
                                   Granularity::per_group, Granularity::per_block}) {
      for (const bool centered : {false, true}) {
        TensorScheme scheme = blocks(codes);
        scheme.granularity = granularity;
        scheme.group_size = 7;
        scheme.centered = centered;
        all.push_back(scheme);
      }
    }
  }
  return all;
}

std::string text_of(const TensorScheme& scheme) {
  return std::string(name_of(scheme.codes)) + " " + std::string(name_of(scheme.granularity)) +
         (scheme.centered ? " centered" : "");
}

TEST(BookRuns, OfEachGranularity) {
  TensorScheme scheme = blocks(Codes::nf4);
  scheme.group_size = 4;
  // 35 values as one sequence: blocks cross the ends of rows, and the last is short.
  EXPECT_EQ(book_runs(scheme, 5, 7), (Runs{16, 16, 3}));
  scheme.granularity = Granularity::per_group;
  EXPECT_EQ(book_runs(scheme, 2, 10), (Runs{4, 4, 2, 4, 4, 2}));
  EXPECT_EQ(book_runs(scheme, 2, 3), (Runs{3, 3}));
  scheme.granularity = Granularity::per_channel;
  EXPECT_EQ(book_runs(scheme, 3, 10), (Runs{10, 10, 10}));
  scheme.granularity = Granularity::per_tensor;
  EXPECT_EQ(book_runs(scheme, 3, 10), (Runs{30}));
}

TEST(BookRuns, KeptColumnsAreRoundedUp) {
  TensorScheme scheme = blocks(Codes::nf4);
  scheme.proxy_percent = 2.0;
  EXPECT_EQ(kept_columns(scheme, 100), 2);
  EXPECT_EQ(kept_columns(scheme, 101), 3);
  EXPECT_EQ(kept_columns(scheme, 1), 1);
  scheme.codes = Codes::uniform;  // only a book reads it
  EXPECT_EQ(kept_columns(scheme, 100), 0);
}

TEST(BookWeight, LinearByHand) {
  // Of 3 bits: -1, -2/3, -1/3, 0, 1/3, 2/3, 1.
  Matrix weight(2, 3);
  weight << 6.0F, -6.0F, 2.5F,  //
      0.75F, -3.0F, 0.25F;
  const auto by_row = quantize_weight(
      weight, {.bits = 3, .granularity = Granularity::per_channel, .codes = Codes::linear});
  EXPECT_EQ(by_row.steps, (std::vector<float>{6.0F, 3.0F}));
  EXPECT_EQ(by_row.codes, (std::vector<std::int16_t>{6, 0, 4, 4, 0, 3}));
  EXPECT_TRUE(by_row.zero_points.empty());
  const auto whole = quantize_weight(
      weight, {.bits = 3, .granularity = Granularity::per_tensor, .codes = Codes::linear});
  EXPECT_EQ(whole.steps, (std::vector<float>{6.0F}));
  EXPECT_EQ(whole.codes,
            (std::vector<std::int16_t>{6, 0, 4, 3, 1, 3}));  // -3 of 6 lies at a middle, nearly
}

// One run of equal constants: the mean and constant are halves, each code the nearest of all.
void expect_run(std::span<const float> values, const QuantizedWeight& quantized, std::size_t run,
                std::span<const std::int16_t> codes, std::span<const float> decoded) {
  const bool centered = quantized.scheme.centered;
  const float mean = centered ? quantized.book.means.at(run) : 0.0F;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  if (centered) {
    EXPECT_EQ(mean, in_half(static_cast<float>(sum / static_cast<double>(values.size()))));
  }
  float absmax = 0.0F;
  for (const float value : values) absmax = std::max(absmax, std::abs(value - mean));
  const float constant = quantized.steps.at(run);
  EXPECT_EQ(constant, in_half(absmax));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i] - mean;
    const auto distance = [&](float meaning) {
      return std::abs(value - static_cast<double>(constant * meaning));
    };
    const float own = quantized.book.values.at(static_cast<std::size_t>(codes[i]));
    for (const float meaning : quantized.book.values) {
      ASSERT_LE(distance(own), distance(meaning)) << "value " << i << " of run " << run;
    }
    ASSERT_EQ(decoded[i], meaning_of(constant, own, mean)) << "value " << i << " of run " << run;
  }
}

TEST(BookWeight, EveryValueIsTheNearestToBruteForce) {
  Matrix weight = support::random_matrix(5, 21, 3);
  weight(2, 4) = 9.0F;
  weight.row(4).setZero();
  weight.row(3).setConstant(-0.3F);
  const std::span<const float> all(weight.data(), static_cast<std::size_t>(weight.size()));
  for (const TensorScheme& scheme : all_schemes()) {
    SCOPED_TRACE(text_of(scheme));
    const auto quantized = quantize_weight(weight, scheme);
    const Matrix decoded = dequantize_weight(quantized);
    const auto runs = book_runs(scheme, 5, 21);
    ASSERT_EQ(quantized.steps.size(), runs.size());
    ASSERT_EQ(quantized.book.means.size(), scheme.centered ? runs.size() : 0U);
    EXPECT_EQ(quantized.book.values, scheme.codes == Codes::quantile
                                         ? quantile_values(all, scheme.bits)
                                         : data_type_values(scheme));
    std::size_t first = 0;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const auto size = static_cast<std::size_t>(runs[run]);
      expect_run(all.subspan(first, size), quantized, run,
                 std::span(quantized.codes).subspan(first, size),
                 std::span(decoded.data(), all.size()).subspan(first, size));
      first += size;
    }
    EXPECT_EQ(first, all.size());
  }
}

TEST(BookWeight, FakeQuantizingIsQuantizingAndBack) {
  const Matrix weight = support::random_matrix(6, 20, 11);
  for (TensorScheme scheme : all_schemes()) {
    const Matrix expected = dequantize_weight(quantize_weight(weight, scheme));
    for (const double percent : {0.0, 10.0}) {  // it keeps no column
      scheme.proxy_percent = percent;
      Matrix given = weight;
      fake_quantize_weight(given, scheme);
      EXPECT_EQ(given, expected) << text_of(scheme);
    }
  }
}

TEST(BookWeight, AWindowIntoAMatrixIsReadByItsRows) {
  const Matrix whole = support::random_matrix(6, 20, 2);
  const Matrix copy = whole.middleCols(3, 9);
  for (const TensorScheme& scheme : all_schemes()) {
    EXPECT_EQ(dequantize_weight(quantize_weight(whole.middleCols(3, 9), scheme)),
              dequantize_weight(quantize_weight(copy, scheme)))
        << text_of(scheme);
  }
}

TEST(BookWeight, AllZeroStaysAllZeroAndCenteredAConstantItself) {
  for (const TensorScheme& scheme : all_schemes()) {
    const Matrix zeros = Matrix::Zero(3, 11);
    EXPECT_EQ(dequantize_weight(quantize_weight(zeros, scheme)), zeros) << text_of(scheme);
    if (!scheme.centered) continue;  // what is alike is its mean
    const Matrix alike = Matrix::Constant(4, 9, -0.75F);
    EXPECT_EQ(dequantize_weight(quantize_weight(alike, scheme)), alike) << text_of(scheme);
  }
}

TEST(BookWeight, KeptColumnsAreHalvesAndTheOthersAsIfTheyWereAbsent) {
  Matrix weight = support::random_matrix(5, 20, 7);
  weight.col(3) *= 100.0F;  // would widen every block it were in
  const std::vector<Index> kept{0, 3, 19};
  Matrix others(5, 17);
  others << weight.middleCols(1, 2), weight.middleCols(4, 15);
  for (TensorScheme scheme : all_schemes()) {
    SCOPED_TRACE(text_of(scheme));
    const auto without = quantize_weight(others, scheme);
    scheme.proxy_percent = 15.0;
    const auto quantized = quantize_weight(weight, scheme, kept);
    EXPECT_EQ(quantized.codes, without.codes);
    EXPECT_EQ(quantized.steps, without.steps);
    EXPECT_EQ(quantized.book.means, without.book.means);
    EXPECT_EQ(quantized.book.values, without.book.values);
    EXPECT_EQ(quantized.book.kept, kept);
    const Matrix decoded = dequantize_weight(quantized);
    const Matrix coded = dequantize_weight(without);
    EXPECT_EQ(decoded.middleCols(1, 2), coded.leftCols(2));
    EXPECT_EQ(decoded.middleCols(4, 15), coded.rightCols(15));
    for (const Index column : kept) {
      EXPECT_EQ(Matrix(decoded.col(column)), Matrix(weight.col(column).unaryExpr(&in_half)));
    }
  }
}

TEST(BookWeight, BeyondTheRangeOfHalvesIsAnError) {
  Matrix weight = Matrix::Constant(2, 20, 0.5F);
  weight(1, 3) = -65504.0F;
  EXPECT_EQ(dequantize_weight(quantize_weight(weight, blocks(Codes::nf4)))(1, 3), -65504.0F);
  weight(1, 3) = -70000.0F;
  TensorScheme keeping = blocks(Codes::nf4);
  keeping.proxy_percent = 5.0;
  for (const auto& [scheme, kept] :
       {std::pair{blocks(Codes::nf4), std::vector<Index>{}}, {keeping, std::vector<Index>{3}}}) {
    support::expect_error<InputError>([&] { quantize_weight(weight, scheme, kept); },
                                      "a weight of magnitude ", {"70000", "codes: uniform"});
  }
  weight(1, 3) = 1e9F;  // so are all means
  for (const TensorScheme& scheme : all_schemes()) {
    EXPECT_THROW(quantize_weight(weight, scheme), InputError) << text_of(scheme);
  }
}

TEST(BookWeight, UsesAreCountedByCode) {
  Matrix weight(1, 6);
  weight << 3.0F, -3.0F, 0.0F, 0.1F, 1.0F, 3.0F;
  const auto quantized = quantize_weight(
      weight, {.bits = 3, .granularity = Granularity::per_tensor, .codes = Codes::linear});
  EXPECT_EQ(code_uses(quantized), (std::vector<std::uint64_t>{1, 0, 0, 2, 1, 0, 2}));
  for (const TensorScheme& scheme : all_schemes()) {
    const auto uses = code_uses(quantize_weight(support::random_matrix(9, 13, 1), scheme));
    EXPECT_EQ(uses.size(), data_type_size(scheme));
    EXPECT_EQ(std::accumulate(uses.begin(), uses.end(), std::uint64_t{0}), 9U * 13U);
  }
}

}  // namespace
}  // namespace evenkeel
