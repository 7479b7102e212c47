#include "quantizers/scheme.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(Scheme, NamesSayBitsOfWeightsAndActivations) {
  EXPECT_EQ(scheme_names(), (std::vector<std::string>{
                                "w8a8", "w6a6", "w4a4", "w8a16", "w4a16", "w4_column_wise", "nf4",
                                "fp4", "naive_w8a8", "vector_wise", "zeroquant_w8a8", "llm_int8",
                                "recommended_w8a8", "recommended_w6a6", "recommended_w4a4"}));
  const Scheme w6a6 = scheme_named("w6a6").value();
  EXPECT_EQ(w6a6.weights, (TensorScheme{.bits = 6,
                                        .granularity = Granularity::per_channel,
                                        .symmetric = false,
                                        .range = RangeEstimator::minmax}));
  EXPECT_EQ(w6a6.activations, (TensorScheme{.bits = 6,
                                            .granularity = Granularity::per_tensor,
                                            .symmetric = false,
                                            .range = RangeEstimator::average_minmax}));
  EXPECT_EQ(w6a6.propagate, Propagate::quantized);
  EXPECT_EQ(scheme_named("w8a8"), Scheme{});
  const Scheme w4a16 = scheme_named("w4a16").value();
  EXPECT_EQ(
      w4a16.weights,
      (TensorScheme{
          .bits = 4, .granularity = Granularity::per_group, .symmetric = true, .group_size = 128}));
  EXPECT_FALSE(is_quantized(w4a16.activations));
  EXPECT_TRUE(is_dynamic(w4a16.activations));
  const Scheme recommended = scheme_named("recommended_w4a4").value();
  EXPECT_EQ(recommended.weights.rounding, Rounding::gptq);
  ASSERT_EQ(recommended.nodes.size(), 1U);
  EXPECT_EQ(recommended.nodes.front().scheme.codes, Codes::logarithmic);
  EXPECT_TRUE(is_dynamic(recommended));
  EXPECT_FALSE(scheme_named("w16a16").has_value());
  EXPECT_FALSE(scheme_named("").has_value());
}

TEST(Scheme, OnlyANamedSchemeHasAName) {
  for (const auto& name : scheme_names()) EXPECT_EQ(name_of(scheme_named(name).value()), name);
  Scheme other;
  other.weights.symmetric = true;
  EXPECT_FALSE(name_of(other).has_value());
}

TEST(Scheme, EverySpellingReadsBack) {
  for (const auto value :
       {Granularity::per_tensor, Granularity::per_channel, Granularity::per_token,
        Granularity::per_group, Granularity::per_head, Granularity::per_embedding_group}) {
    EXPECT_EQ(granularity_named(name_of(value)), value);
  }
  for (const auto value :
       {RangeEstimator::minmax, RangeEstimator::average_minmax, RangeEstimator::percentile,
        RangeEstimator::token_wise_clipping, RangeEstimator::omse}) {
    EXPECT_EQ(range_estimator_named(name_of(value)), value);
  }
  for (const auto value : {Propagate::quantized, Propagate::full_precision}) {
    EXPECT_EQ(propagate_named(name_of(value)), value);
  }
  for (const auto value : {Rounding::nearest, Rounding::gptq}) {
    EXPECT_EQ(rounding_named(name_of(value)), value);
  }
  EXPECT_EQ(name_of(Granularity::per_token), "per_token");
  EXPECT_EQ(name_of(RangeEstimator::average_minmax), "average_minmax");
  EXPECT_EQ(name_of(Propagate::full_precision), "full_precision");
  EXPECT_FALSE(granularity_named("per-token").has_value());
  EXPECT_FALSE(range_estimator_named("").has_value());
  EXPECT_FALSE(rounding_named("stochastic").has_value());
  EXPECT_FALSE(propagate_named("Quantized").has_value());
}

TEST(Scheme, RangesOfTokensAndGroupsAreDynamic) {
  EXPECT_TRUE(is_dynamic({.granularity = Granularity::per_token}));
  EXPECT_TRUE(is_dynamic({.granularity = Granularity::per_group}));
  EXPECT_FALSE(is_dynamic({.granularity = Granularity::per_tensor}));
  EXPECT_FALSE(is_dynamic({.granularity = Granularity::per_channel}));
}

TEST(Scheme, ReportsEveryFaultAtOnce) {
  EXPECT_TRUE(faults_of(Scheme{}).empty());
  Scheme scheme;
  scheme.weights = {
      .bits = 9, .granularity = Granularity::per_token, .range = RangeEstimator::average_minmax};
  scheme.activations = {.bits = 1, .granularity = Granularity::per_group, .group_size = 0};
  EXPECT_EQ(
      faults_of(scheme),
      (std::vector<std::string>{
          "weights: bits must be 2 to 8, not 9",
          std::string("weights: granularity per_token is for activations; use per_channel, ") +
              "per_group or per_tensor",
          "weights: range average_minmax is for activations; use minmax",
          "activations: bits must be 2 to 8, or 16 to leave them as they are, not 1",
          "activations: group_size must be at least 1, not 0",
      }));
}

TEST(Scheme, GptqIsForWeightsAndKeepsGroupsInPlace) {
  Scheme scheme;
  scheme.weights.gptq = {.damping = 7.0, .static_groups = false};
  EXPECT_TRUE(faults_of(scheme).empty());  // not read
  scheme.weights.rounding = scheme.activations.rounding = Rounding::gptq;
  EXPECT_EQ(faults_of(scheme),
            (std::vector<std::string>{"weights: gptq.damping must be 1e-06 to 1, not 7",
                                      "activations: rounding gptq is for weights; use nearest"}));
  scheme.activations.rounding = Rounding::nearest;
  scheme.weights.granularity = Granularity::per_group;
  scheme.weights.gptq.damping = 0.01;
  ASSERT_EQ(faults_of(scheme).size(), 1U);
  scheme.weights.gptq.activation_order = false;
  EXPECT_TRUE(faults_of(scheme).empty());
}

TEST(Scheme, TheGroupSizeIsOnlyReadForGroups) {
  Scheme scheme;
  scheme.weights.group_size = 0;
  EXPECT_TRUE(faults_of(scheme).empty());
}

}  // namespace
}  // namespace evenkeel
