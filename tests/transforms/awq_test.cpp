#include "transforms/awq.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "quantizers/gemm.h"
#include "quantizers/weight_quantizer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr Index channels = 16;
const TensorScheme four_bits{
    .bits = 4, .granularity = Granularity::per_group, .symmetric = true, .group_size = 8};

ScoredSite outlier_site() {
  Matrix input = support::random_matrix(48, channels, 1);
  input.col(5) *= 60.0F;
  return linear_site({std::move(input)}, {support::random_matrix(20, channels, 2), {}});
}

TEST(Awq, MagnitudeIsTheMeanOverTokensThatAreNotPadding) {
  const Matrix first{{1.0F, -2.0F}, {3.0F, 4.0F}};
  const Matrix second{{-5.0F, 0.0F}, {100.0F, 100.0F}};
  EXPECT_EQ(mean_magnitude({first, second}, {{}, {1, 0}}), (Vector{{3.0F, 2.0F}}));
}

TEST(Awq, ScaleIsTheFormulaByHand) {
  EXPECT_EQ(awq_scale(Vector{{1.0F, 16.0F}}, 0.5), (Vector{{0.5F, 2.0F}}));  // {1, 4} / sqrt(4)
  EXPECT_EQ(awq_scale(Vector{{3.0F, 9.0F}}, 0.0), (Vector{{1.0F, 1.0F}}));
  // A channel that is never used is clamped: {1e-4, 1} / sqrt(1e-4).
  EXPECT_FLOAT_EQ(awq_scale(Vector{{0.0F, 1.0F}}, 0.5)(0), 1e-2F);
}

TEST(Awq, AlphasAreTwentyFromZero) {
  const std::vector<double> alphas = awq_alphas();
  ASSERT_EQ(alphas.size(), 20U);
  EXPECT_EQ(alphas.front(), 0.0);
  EXPECT_EQ(alphas[10], 0.5);
  EXPECT_EQ(alphas.back(), 0.95);
}

// A token whose output is a thousand times larger than the others' decides no more than they do.
TEST(Awq, EveryTokenCountsAlike) {
  ScoredSite site = outlier_site();
  ScoredSite louder = site;
  louder.inputs.front().row(3) *= 1024.0F;
  const SiteScorer quiet_scorer(std::move(site), four_bits);
  louder.relative_tokens = true;
  const SiteScorer scorer(std::move(louder), four_bits);
  ScoredSite relative = outlier_site();
  relative.relative_tokens = true;
  const Candidate candidate{Vector::Ones(channels), ActivationQuantizer({.bits = 16})};
  // Power of two: the same floats but for the exponent.
  EXPECT_EQ(scorer.loss(candidate), SiteScorer(std::move(relative), four_bits).loss(candidate));
  EXPECT_NE(scorer.loss(candidate), quiet_scorer.loss(candidate));
}

TEST(Awq, TakesTheAlphaOfLeastLossOfTheWeightsAlone) {
  const ScoredSite site = outlier_site();
  const SiteTransform found = awq(site, four_bits);
  ASSERT_EQ(found.losses.size(), 20U);
  const auto least = std::min_element(found.losses.begin(), found.losses.end());
  EXPECT_EQ(found.loss_after, *least);
  EXPECT_EQ(found.threshold,
            found.thresholds[static_cast<std::size_t>(least - found.losses.begin())]);
  EXPECT_LT(found.loss_after, 0.5 * found.loss_before);
  EXPECT_EQ(found.losses.front(), found.loss_before);  // alpha 0 scales nothing
  EXPECT_GT(found.transform.scale(5), 1.0F);
  EXPECT_TRUE(found.transform.shift.isZero(0.0F));

  // As defined: the error of the quantized, scaled weights on the input as it is.
  const Matrix& input = site.inputs.front();
  const Matrix scaled = input.array().rowwise() / found.transform.scale.array();
  Matrix weight = site.weight.array().rowwise() * found.transform.scale.array();
  fake_quantize_weight(weight, four_bits);
  const DoubleMatrix output = input.cast<double>() * site.weight.cast<double>().transpose();
  const DoubleMatrix moved = scaled.cast<double>() * weight.cast<double>().transpose() - output;
  const double expected =
      (moved.rowwise().squaredNorm().array() / output.rowwise().squaredNorm().array()).mean();
  EXPECT_NEAR(found.loss_after, expected, 1e-4 * expected);
}

}  // namespace
}  // namespace evenkeel
