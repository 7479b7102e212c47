#include "transforms/smoothquant.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

ScoredSite outlier_site() {
  Matrix input = support::random_matrix(48, 16, 1);
  input.col(5) *= 40.0F;
  return linear_site({std::move(input)}, {support::random_matrix(20, 16, 2), {}});
}

TEST(SmoothQuant, ScaleIsTheFormulaByHand) {
  const Vector absmax{{4.0F, 16.0F, 0.0F, 9.0F}};
  const Matrix weight{{1.0F, -4.0F, 2.0F, 0.0F}, {-1.0F, 1.0F, 2.0F, 0.0F}};
  const Vector half = smoothquant_scale(absmax, weight, 0.5);
  EXPECT_FLOAT_EQ(half(0), 2.0F);                     // sqrt(4 / 1)
  EXPECT_FLOAT_EQ(half(1), 2.0F);                     // sqrt(16 / 4)
  EXPECT_FLOAT_EQ(half(2), 1e-5F);                    // clamped
  EXPECT_FLOAT_EQ(half(3), 3.0F / std::sqrt(1e-5F));  // max|w| is clamped as well
  EXPECT_FLOAT_EQ(smoothquant_scale(absmax, weight, 1.0)(1), 16.0F);
  EXPECT_FLOAT_EQ(smoothquant_scale(absmax, weight, 0.0)(1), 0.25F);
}

TEST(SmoothQuant, GivenAlphaIsTaken) {
  const ScoredSite site = outlier_site();
  const Vector absmax = site.inputs.front().cwiseAbs().colwise().maxCoeff();
  const SiteTransform found = smoothquant(site, absmax, *scheme_named("w6a6"), 0.5);
  EXPECT_EQ(found.threshold, 0.5);
  EXPECT_TRUE(found.thresholds.empty());
  EXPECT_TRUE(found.transform.shift.isZero(0.0F));
  EXPECT_EQ(found.transform.scale, smoothquant_scale(absmax, site.weight, 0.5));
  EXPECT_LT(found.loss_after, 0.5 * found.loss_before);
}

TEST(SmoothQuant, SearchTakesTheAlphaOfLeastLoss) {
  const ScoredSite site = outlier_site();
  const Vector absmax = site.inputs.front().cwiseAbs().colwise().maxCoeff();
  const SiteTransform found = smoothquant(site, absmax, *scheme_named("w6a6"), std::nullopt);
  ASSERT_EQ(found.thresholds, alpha_grid());
  ASSERT_EQ(found.losses.size(), 21U);
  const auto least = std::min_element(found.losses.begin(), found.losses.end());
  EXPECT_EQ(found.loss_after, *least);
  EXPECT_EQ(found.threshold,
            found.thresholds[static_cast<std::size_t>(least - found.losses.begin())]);
  // The loss at 0.5 is what a given alpha of 0.5 has.
  EXPECT_EQ(found.losses[10], smoothquant(site, absmax, *scheme_named("w6a6"), 0.5).loss_after);
}

// Of equal losses (an input of zero loses nothing) the smallest alpha.
TEST(SmoothQuant, TiesGoToTheSmallerAlpha) {
  ScoredSite site = outlier_site();
  site.inputs.front().setZero();
  const SiteTransform found =
      smoothquant(site, Vector::Zero(16), *scheme_named("w8a8"), std::nullopt);
  EXPECT_EQ(found.threshold, 0.0);
  EXPECT_EQ(found.loss_after, 0.0);
}

TEST(SmoothQuant, RefusesALossThatIsNotFinite) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ScoredSite site = outlier_site();
    site.inputs.front()(3, 2) = wrong;
    const Vector absmax = site.inputs.front().cwiseAbs().colwise().maxCoeff();
    for (const std::optional<double> alpha :
         {std::optional<double>(0.5), std::optional<double>()}) {
      EXPECT_THROW(smoothquant(site, absmax, *scheme_named("w8a8"), alpha), InputError);
    }
  }
}

TEST(SmoothQuant, TiedChannelsScaleAlike) {
  ScoredSite site = outlier_site();
  site.ties = {.width = 4, .sharing = 2};
  const Vector absmax = site.inputs.front().cwiseAbs().colwise().maxCoeff();
  const Vector scale = smoothquant(site, absmax, *scheme_named("w6a6"), 0.5).transform.scale;
  for (Index j = 0; j < 16; ++j) EXPECT_EQ(scale(j), scale(j % 8 < 4 ? j + 4 : j - 4));
}

TEST(AlphaGrid, IsTwentyOneStepsFromZeroToOne) {
  const std::vector<double> alphas = alpha_grid();
  ASSERT_EQ(alphas.size(), 21U);
  EXPECT_EQ(alphas.front(), 0.0);
  EXPECT_EQ(alphas[1], 0.05);
  EXPECT_EQ(alphas[10], 0.5);
  EXPECT_EQ(alphas.back(), 1.0);
}

}  // namespace
}  // namespace evenkeel
