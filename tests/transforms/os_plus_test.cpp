#include "transforms/os_plus.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/random_matrix.h"
#include "transforms/threshold_grid.h"

namespace evenkeel {
namespace {

constexpr Index channels = 16;

ScoredSite outlier_site() {
  ScoredSite site;
  for (const std::uint32_t seed : {1U, 2U}) {
    Matrix input = support::random_matrix(40, channels, seed);
    input.col(3) = input.col(3) * 12.0F + Vector::Constant(40, -50.0F).transpose();
    site.inputs.push_back(std::move(input));
  }
  site.weight = support::random_matrix(20, channels, 3);
  site.bias = support::random_vector(20, 4);
  return site;
}

Scheme scheme_with(Granularity granularity) {
  Scheme scheme = *scheme_named("w6a6");
  scheme.activations.granularity = granularity;
  scheme.activations.group_size = 5;
  return scheme;
}

TEST(OsPlus, ShiftIsTheMiddleOfEachChannel) {
  const ScoredSite site = outlier_site();
  const SiteTransform found = os_plus(site, *scheme_named("w6a6"), Search::exact, true);
  for (Index j = 0; j < channels; ++j) {
    const float low = std::min(site.inputs[0].col(j).minCoeff(), site.inputs[1].col(j).minCoeff());
    const float high = std::max(site.inputs[0].col(j).maxCoeff(), site.inputs[1].col(j).maxCoeff());
    // Exact but for the rounding of one sum.
    EXPECT_NEAR(found.transform.shift(j), (double{low} + high) / 2.0,
                std::numeric_limits<float>::epsilon() * (std::abs(low) + std::abs(high)));
  }
}

TEST(OsPlus, LowersTheLossOfOutliersMuch) {
  const SiteTransform found = os_plus(outlier_site(), *scheme_named("w6a6"), Search::exact, true);
  EXPECT_LT(found.loss_after, 0.05 * found.loss_before);
  EXPECT_GT(found.transform.scale(3), 2.0F);
  EXPECT_GE(found.transform.scale.minCoeff(), 1.0F);
}

TEST(OsPlus, DoesNotShiftWhereItMayNot) {
  ScoredSite site = outlier_site();
  site.bias.resize(0);
  const SiteTransform found = os_plus(site, *scheme_named("w6a6"), Search::exact, false);
  EXPECT_TRUE(found.transform.shift.isZero(0.0F));
  EXPECT_LT(found.loss_after, found.loss_before);
}

TEST(OsPlus, ScaleIsThatOfTheThreshold) {
  const ScoredSite site = outlier_site();
  const SiteTransform found = os_plus(site, *scheme_named("w6a6"), Search::exhaustive, true);
  const auto least = std::min_element(found.losses.begin(), found.losses.end());
  EXPECT_EQ(found.threshold,
            found.thresholds[static_cast<std::size_t>(least - found.losses.begin())]);
  EXPECT_EQ(found.loss_after, *least);
  ScoredSite shifted = site;
  for (Matrix& input : shifted.inputs) input.rowwise() -= found.transform.shift;
  const ChannelExtrema extrema = channel_extrema(shifted.inputs);
  EXPECT_EQ(found.transform.scale, scale_for_threshold(extrema.low, extrema.high, found.threshold));
}

TEST(OsPlus, EveryGranularitySearchesExactly) {
  for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel,
                                        Granularity::per_token, Granularity::per_group}) {
    const Scheme scheme = scheme_with(granularity);
    const SiteTransform exact = os_plus(outlier_site(), scheme, Search::exact, true);
    const SiteTransform exhaustive = os_plus(outlier_site(), scheme, Search::exhaustive, true);
    EXPECT_EQ(exact.threshold, exhaustive.threshold) << name_of(granularity);
    EXPECT_EQ(exact.loss_after, exhaustive.loss_after) << name_of(granularity);
    EXPECT_LT(exact.loss_after, exact.loss_before) << name_of(granularity);
  }
}

TEST(OsPlus, NothingToScaleIsLeftAlone) {
  for (const float value : {0.0F, 0.25F}) {
    ScoredSite site = outlier_site();
    for (Matrix& input : site.inputs) input.setConstant(value);
    const SiteTransform found = os_plus(site, *scheme_named("w8a8"), Search::exact, true);
    EXPECT_EQ(found.transform.scale, Vector::Ones(channels));
    EXPECT_EQ(found.transform.shift, Vector::Constant(channels, value));
    EXPECT_EQ(found.thresholds.size(), 1U);
    EXPECT_TRUE(std::isfinite(found.loss_after));
  }
}

TEST(OsPlus, OneChannelAndOneTokenWork) {
  ScoredSite site;
  site.inputs = {Matrix{{7.0F}}};
  site.weight = Matrix{{2.0F}};
  site.bias = Vector{{1.0F}};
  const SiteTransform found = os_plus(site, *scheme_named("w8a8"), Search::exact, true);
  EXPECT_EQ(found.transform.shift(0), 7.0F);
  EXPECT_EQ(found.loss_after, 0.0);
}

TEST(OsPlus, RefusesActivationsThatAreNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ScoredSite site = outlier_site();
    site.inputs[1](2, 3) = value;
    EXPECT_THROW(os_plus(site, *scheme_named("w8a8"), Search::exact, true), InputError);
  }
}

TEST(ChannelExtrema, LeavePaddingOut) {
  const std::vector<Matrix> samples{Matrix{{1.0F, -2.0F}, {100.0F, 100.0F}}, Matrix{{-3.0F, 5.0F}}};
  const ChannelExtrema all = channel_extrema(samples);
  EXPECT_EQ(all.high, (Vector{{100.0F, 100.0F}}));
  const ChannelExtrema real = channel_extrema(samples, {{1, 0}, {}});
  EXPECT_EQ(real.low, (Vector{{-3.0F, -2.0F}}));
  EXPECT_EQ(real.high, (Vector{{1.0F, 5.0F}}));
}

}  // namespace
}  // namespace evenkeel
