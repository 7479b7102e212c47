// What a scheme with code books of weights may be.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/scheme.h"

namespace evenkeel {
namespace {

using Faults = std::vector<std::string>;

constexpr Codes all_books[] = {Codes::linear,   Codes::floating, Codes::dynamic,
                               Codes::quantile, Codes::nf4,      Codes::fp4};

Faults faults(const TensorScheme& weights) {
  Scheme scheme;
  scheme.weights = weights;
  return faults_of(scheme);
}

TensorScheme blocks(Codes codes, int bits = 4) {
  return {.bits = bits, .granularity = Granularity::per_block, .codes = codes};
}

TEST(BookSchemes, EveryBookCanHaveEachGranularity) {
  for (const Codes codes : all_books) {
    EXPECT_TRUE(is_signed_book(codes));
    EXPECT_EQ(codes_named(name_of(codes)), codes);
    for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel,
                                   Granularity::per_group, Granularity::per_block}) {
      TensorScheme weights = blocks(codes);
      weights.granularity = granularity;
      weights.centered = true;
      weights.proxy_percent = 50.0;
      EXPECT_EQ(faults(weights), Faults{}) << name_of(codes);
    }
    for (const auto granularity :
         {Granularity::per_token, Granularity::per_head, Granularity::per_embedding_group}) {
      TensorScheme weights = blocks(codes);
      weights.granularity = granularity;
      EXPECT_EQ(faults(weights).size(), 1U) << name_of(codes) << " " << name_of(granularity);
    }
  }
  for (const Codes codes : {Codes::uniform, Codes::logarithmic, Codes::two_range}) {
    EXPECT_FALSE(is_signed_book(codes));
  }
}

TEST(BookSchemes, BlocksNeedABook) {
  EXPECT_EQ(granularity_named("per_block"), Granularity::per_block);
  EXPECT_EQ(faults(blocks(Codes::uniform)),
            (Faults{"weights: granularity per_block needs a code book; use codes: linear, float, "
                    "dynamic, quantile, nf4 or fp4 in place of uniform"}));
  TensorScheme groups = blocks(Codes::uniform);
  groups.granularity = Granularity::per_group;
  EXPECT_EQ(faults(groups), Faults{});
}

TEST(BookSchemes, BitsThatATypeHas) {
  for (int bits = 2; bits <= 8; ++bits) {
    EXPECT_EQ(faults(blocks(Codes::linear, bits)), Faults{});
    EXPECT_EQ(faults(blocks(Codes::quantile, bits)), Faults{});
    EXPECT_EQ(faults(blocks(Codes::floating, bits)).empty(), bits > 2) << bits;
    EXPECT_EQ(faults(blocks(Codes::dynamic, bits)).empty(), bits > 2) << bits;
    EXPECT_EQ(faults(blocks(Codes::nf4, bits)).empty(), bits == 4) << bits;
    EXPECT_EQ(faults(blocks(Codes::fp4, bits)).empty(), bits == 4) << bits;
  }
  for (const Codes codes : all_books) {
    for (const int bits : {1, 9, 16}) EXPECT_NE(faults(blocks(codes, bits)), Faults{}) << bits;
  }
  EXPECT_EQ(faults(blocks(Codes::nf4, 3)), (Faults{"weights: nf4 codes have 4 bits, not 3"}));
  EXPECT_EQ(faults(blocks(Codes::fp4, 8)), (Faults{"weights: fp4 codes have 4 bits, not 8"}));
  EXPECT_EQ(faults(blocks(Codes::floating, 2)),
            (Faults{"weights: float codes of 2 bits do not exist; use linear or quantile"}));
  EXPECT_EQ(faults(blocks(Codes::dynamic, 2)),
            (Faults{"weights: dynamic codes of 2 bits do not exist; use linear or quantile"}));
}

TEST(BookSchemes, ExponentBitsLeaveOneForTheSign) {
  for (int bits = 3; bits <= 8; ++bits) {
    for (int exponent = 0; exponent <= 7; ++exponent) {
      TensorScheme weights = blocks(Codes::floating, bits);
      weights.exponent_bits = exponent;
      weights.appendix_bias = true;
      EXPECT_EQ(faults(weights).empty(), exponent < bits) << bits << " bits, " << exponent;
    }
  }
  TensorScheme weights = blocks(Codes::floating, 4);
  weights.exponent_bits = 4;
  EXPECT_EQ(faults(weights),
            (Faults{"weights: exponent_bits must be 1 to 3, one less than bits, not 4"}));
  weights.exponent_bits = -1;
  EXPECT_EQ(faults(weights), (Faults{"weights: exponent_bits must be 0 to 7, not -1"}));
  weights.codes = Codes::dynamic;  // which does not read it
  EXPECT_EQ(faults(weights), Faults{});
}

TEST(BookSchemes, PaperExponentsStandAlone) {
  TensorScheme weights = blocks(Codes::floating);
  weights.paper_exponents = true;
  EXPECT_EQ(faults(weights), Faults{});
  weights.exponent_bits = 2;
  EXPECT_EQ(faults(weights),
            (Faults{"weights: exponent_bits stands beside paper_exponents; give one of them"}));
}

TEST(BookSchemes, TakeTheWholeRangeAndHaveTheirOwnSigns) {
  for (const Codes codes : all_books) {
    const std::string named = "weights: " + std::string(name_of(codes)) + " codes ";
    TensorScheme weights = blocks(codes);
    for (const auto range : {RangeEstimator::percentile, RangeEstimator::omse}) {
      weights.range = range;
      EXPECT_EQ(faults(weights), (Faults{named + "need range minmax"}));
    }
    weights = blocks(codes);
    weights.symmetric = true;
    EXPECT_EQ(faults(weights), (Faults{named + "are a code book's, so that symmetric has no "
                                               "meaning; leave it out"}));
  }
}

TEST(BookSchemes, GptqKnowsNeitherMeansNorKeptColumns) {
  const Faults expected{
      "weights: rounding gptq knows neither centered nor proxy_percent; leave these out, or use "
      "nearest"};
  for (const Codes codes : all_books) {
    TensorScheme weights = blocks(codes);
    weights.rounding = Rounding::gptq;
    EXPECT_EQ(faults(weights), Faults{}) << name_of(codes);
    weights.centered = true;
    EXPECT_EQ(faults(weights), expected) << name_of(codes);
    weights.centered = false;
    weights.proxy_percent = 1.0;
    EXPECT_EQ(faults(weights), expected) << name_of(codes);
  }
}

TEST(BookSchemes, LimitsOfBlocksAndProxies) {
  TensorScheme weights = blocks(Codes::nf4);
  for (const int size : {16, 64, 4096}) {
    weights.block_size = size;
    EXPECT_EQ(faults(weights), Faults{});
  }
  for (const int size : {15, 4097, 0, -64}) {
    weights.block_size = size;
    EXPECT_EQ(faults(weights),
              (Faults{"weights: block_size must be 16 to 4096, not " + std::to_string(size)}));
  }
  weights.granularity = Granularity::per_channel;  // which does not read it
  EXPECT_EQ(faults(weights), Faults{});
  weights.proxy_percent = 50.5;
  EXPECT_EQ(faults(weights), (Faults{"weights: proxy_percent must be 0 to 50, not 50.5"}));
  weights.proxy_percent = -1.0;
  EXPECT_EQ(faults(weights), (Faults{"weights: proxy_percent must be 0 to 50, not -1"}));
  weights.codes = Codes::uniform;
  EXPECT_EQ(faults(weights), Faults{});
}

TEST(BookSchemes, AreNotForActivations) {
  for (const Codes codes : all_books) {
    Scheme scheme;
    scheme.activations = {.bits = 4, .granularity = Granularity::per_token, .codes = codes};
    const std::string fault = std::string(name_of(codes)) + " codes are for weights; use uniform";
    EXPECT_EQ(faults_of(scheme), (Faults{"activations: " + fault}));
    scheme.nodes = {{"attention.output", scheme.activations}};
    scheme.activations = Scheme{}.activations;
    EXPECT_EQ(faults_of(scheme), (Faults{"nodes.attention.output: " + fault}));
  }
  Scheme scheme;
  scheme.activations = {.bits = 8, .granularity = Granularity::per_block};
  EXPECT_EQ(faults_of(scheme),
            (Faults{"activations: granularity per_block is for weights; use per_group"}));
}

TEST(BookSchemes, EveryFaultIsSaidAtOnce) {
  TensorScheme weights = blocks(Codes::floating, 2);
  weights.symmetric = true;
  weights.rounding = Rounding::gptq;
  weights.centered = true;
  weights.range = RangeEstimator::omse;
  weights.block_size = 8;
  weights.paper_exponents = true;
  weights.exponent_bits = 2;
  EXPECT_EQ(faults(weights).size(), 7U);
}

}  // namespace
}  // namespace evenkeel
