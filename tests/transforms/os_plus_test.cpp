#include "transforms/os_plus.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/random_matrix.h"
#include "support/scored_sites.h"
#include "transforms/threshold_grid.h"

namespace evenkeel {
namespace {

constexpr Index channels = 16;

ScoredSite outlier_site() {
  std::vector<Matrix> inputs;
  for (const std::uint32_t seed : {1U, 2U}) {
    Matrix input = support::random_matrix(40, channels, seed);
    input.col(3) = input.col(3) * 12.0F + Vector::Constant(40, -50.0F).transpose();
    inputs.push_back(std::move(input));
  }
  return linear_site(std::move(inputs),
                     {support::random_matrix(20, channels, 3), support::random_vector(20, 4)});
}

Scheme scheme_with(Granularity granularity) {
  Scheme scheme = *scheme_named("w6a6");
  scheme.activations.granularity = granularity;
  scheme.activations.group_size = 5;
  return scheme;
}

TEST(OsPlus, ShiftIsTheMiddleOfEachChannel) {
  const ScoredSite site = outlier_site();
  const SiteTransform found = os_plus(site, *scheme_named("w6a6"), {.can_shift = true});
  for (Index j = 0; j < channels; ++j) {
    const float low = std::min(site.inputs[0].col(j).minCoeff(), site.inputs[1].col(j).minCoeff());
    const float high = std::max(site.inputs[0].col(j).maxCoeff(), site.inputs[1].col(j).maxCoeff());
    // Exact but for the rounding of one sum.
    EXPECT_NEAR(found.transform.shift(j), (double{low} + high) / 2.0,
                std::numeric_limits<float>::epsilon() * (std::abs(low) + std::abs(high)));
  }
}

TEST(OsPlus, LowersTheLossOfOutliersMuch) {
  const SiteTransform found = os_plus(outlier_site(), *scheme_named("w6a6"), {.can_shift = true});
  EXPECT_LT(found.loss_after, 0.05 * found.loss_before);
  EXPECT_GT(found.transform.scale(3), 2.0F);
  EXPECT_GE(found.transform.scale.minCoeff(), 1.0F);
}

TEST(OsPlus, DoesNotShiftWhereItMayNot) {
  const SiteTransform found = os_plus(outlier_site(), *scheme_named("w6a6"), {.can_shift = false});
  EXPECT_TRUE(found.transform.shift.isZero(0.0F));
  EXPECT_LT(found.loss_after, found.loss_before);
}

TEST(OsPlus, ScaleIsThatOfTheThreshold) {
  const ScoredSite site = outlier_site();
  const SiteTransform found =
      os_plus(site, *scheme_named("w6a6"), {.search = Search::exhaustive, .can_shift = true});
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
    const SiteTransform exact = os_plus(outlier_site(), scheme, {.can_shift = true});
    const SiteTransform exhaustive =
        os_plus(outlier_site(), scheme, {.search = Search::exhaustive, .can_shift = true});
    EXPECT_EQ(exact.threshold, exhaustive.threshold) << name_of(granularity);
    EXPECT_EQ(exact.loss_after, exhaustive.loss_after) << name_of(granularity);
    EXPECT_LT(exact.loss_after, exact.loss_before) << name_of(granularity);
  }
}

TEST(OsPlus, NothingToScaleIsLeftAlone) {
  for (const float value : {0.0F, 0.25F}) {
    ScoredSite site = outlier_site();
    for (Matrix& input : site.inputs) input.setConstant(value);
    const SiteTransform found = os_plus(site, *scheme_named("w8a8"), {.can_shift = true});
    EXPECT_EQ(found.transform.scale, Vector::Ones(channels));
    EXPECT_EQ(found.transform.shift, Vector::Constant(channels, value));
    EXPECT_EQ(found.thresholds.size(), 1U);
    EXPECT_TRUE(std::isfinite(found.loss_after));
  }
}

TEST(OsPlus, WithoutScaleIsTheShiftAlone) {
  const ScoredSite site = outlier_site();
  const SiteTransform whole = os_plus(site, *scheme_named("w6a6"), {.can_shift = true});
  const SiteTransform found =
      os_plus(site, *scheme_named("w6a6"), {.can_shift = true, .scale = false});
  EXPECT_EQ(found.transform.scale, Vector::Ones(channels));
  EXPECT_EQ(found.transform.shift, whole.transform.shift);
  EXPECT_EQ(found.thresholds, std::vector{whole.thresholds.front()});
  EXPECT_GE(found.loss_after, whole.loss_after);
}

TEST(OsPlus, WithoutThresholdEachChannelTakesItsOwn) {
  ScoredSite site = outlier_site();
  for (Matrix& input : site.inputs) {
    for (const Index j : {1, 6, 9}) input.col(j) *= 5.0F + static_cast<float>(j);
  }
  for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_token}) {
    const Scheme scheme = scheme_with(granularity);
    const SiteTransform whole =
        os_plus(site, scheme, {.search = Search::exhaustive, .can_shift = true});
    const SiteTransform found =
        os_plus(site, scheme,
                {.search = Search::exhaustive, .can_shift = true, .outlier_threshold = false});
    EXPECT_EQ(found.threshold, whole.threshold);
    EXPECT_EQ(found.losses, whole.losses);
    EXPECT_LT(found.loss_after, whole.loss_after);
    EXPECT_NE(found.transform.scale, whole.transform.scale);
    EXPECT_GE(found.transform.scale.minCoeff(), 1.0F);
    const SiteTransform pruned =
        os_plus(site, scheme, {.can_shift = true, .outlier_threshold = false});
    EXPECT_EQ(pruned.transform.scale, found.transform.scale);
    EXPECT_EQ(pruned.loss_after, found.loss_after);
  }
}

TEST(OsPlus, OneChannelAndOneTokenWork) {
  const ScoredSite site = linear_site({Matrix{{7.0F}}}, {Matrix{{2.0F}}, Vector{{1.0F}}});
  const SiteTransform found = os_plus(site, *scheme_named("w8a8"), {.can_shift = true});
  EXPECT_EQ(found.transform.shift(0), 7.0F);
  EXPECT_EQ(found.loss_after, 0.0);
}

TEST(OsPlus, RefusesActivationsThatAreNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ScoredSite site = outlier_site();
    site.inputs[1](2, 3) = value;
    EXPECT_THROW(os_plus(site, *scheme_named("w8a8"), {.can_shift = true}), InputError);
  }
}

// Query, key and value biases of a site count as zero where there are none, before the shift.
TEST(OsPlus, AnAbsentBiasIsAZeroOne) {
  const Matrix weight = support::random_matrix(20, channels, 5);
  const Matrix input = support::random_matrix(30, channels, 6, 1.0F, 9.0F);
  const Scheme scheme = *scheme_named("w6a6");
  const SiteTransform with =
      os_plus(linear_site({input}, {weight, Vector::Zero(20)}), scheme, {.can_shift = true});
  const SiteTransform without =
      os_plus(linear_site({input}, {weight, {}}), scheme, {.can_shift = true});
  EXPECT_EQ(with.loss_before, without.loss_before);
  EXPECT_EQ(with.threshold, without.threshold);
  EXPECT_EQ(with.loss_after, without.loss_after);
}

// A channel of the producer that several of the input's channels come from moves once.
TEST(OsPlus, TiedChannelsMoveAlike) {
  ScoredSite site = outlier_site();
  site.ties = {.width = 4, .sharing = 2};  // channels 0..3 and 4..7 are one head, read twice
  const SiteTransform found = os_plus(site, *scheme_named("w6a6"), {.can_shift = true});
  for (Index j = 0; j < channels; ++j) {
    const Index twin = j % 8 < 4 ? j + 4 : j - 4;
    EXPECT_EQ(found.transform.shift(j), found.transform.shift(twin));
    EXPECT_EQ(found.transform.scale(j), found.transform.scale(twin));
  }
  EXPECT_GT(found.transform.scale(7), 1.0F);  // 3 is the outlier
}

TEST(OsPlus, TheGridEndsAtTheLowestThreshold) {
  const ScoredSite site = linear_site({support::random_matrix(40, channels, 7)},
                                      {support::random_matrix(9, channels, 8), {}});
  const Scheme scheme = *scheme_named("w6a6");
  EXPECT_EQ(os_plus(site, scheme, {}).thresholds.size(), 1U);  // nothing reaches 1
  const auto lower =
      os_plus(site, scheme, {.search = Search::exhaustive, .lowest_threshold = 0.1}).thresholds;
  EXPECT_GE(lower.size(), 100U);
  EXPECT_NEAR(lower.back(), 0.1, 0.011);  // a step of the grid above at most
}

TEST(LowestThreshold, IsLowerForRmsNorm) {
  Architecture architecture;
  EXPECT_EQ(lowest_threshold(architecture), 1.0);
  architecture.norm_kind = NormKind::rms;
  EXPECT_EQ(lowest_threshold(architecture), 0.1);
  architecture.norm_kind = NormKind::rms_plus_one;
  EXPECT_EQ(lowest_threshold(architecture), 0.1);
}

// The full-precision output is the same before and after the shift only when the bias moved with
// it; an attention site whose quantization is fine (8 bits, small channels) then loses next to
// nothing against outputs of its size.
TEST(OsPlus, TheBiasMovesWithTheShift) {
  const ScoredSite site = support::attention_site(
      {support::random_matrix(30, channels, 6, 2.0F, 2.5F)},
      support::random_matrix(3 * channels, channels, 7), support::random_vector(3 * channels, 8),
      {.heads = 2, .causal = true});
  const Scheme scheme = *scheme_named("w8a8");
  const SiteTransform found = os_plus(site, scheme, {.can_shift = true});

  ScoredSite moved = site;
  moved.inputs[0].rowwise() -= found.transform.shift;
  moved.bias = site.bias + found.transform.shift * site.weight.transpose();
  const ChannelExtrema extrema = channel_extrema(moved.inputs);
  const float reach =
      std::max(extrema.high.maxCoeff(), -extrema.low.minCoeff());  // below 1: nothing is scaled
  EXPECT_EQ(found.thresholds, std::vector<double>{static_cast<double>(reach)});
  const auto expected = SiteScorer(moved, scheme.weights)
                            .loss({Vector::Ones(channels),
                                   ActivationQuantizer(scheme.activations, {{-reach, reach}})});
  // The bias above is rounded twice where the transform's is once: some epsilon of an output.
  EXPECT_NEAR(found.loss_after, *expected, 1e-4 * *expected);
  moved.bias = site.bias;
  const auto unmoved = SiteScorer(moved, scheme.weights)
                           .loss({Vector::Ones(channels),
                                  ActivationQuantizer(scheme.activations, {{-reach, reach}})});
  EXPECT_GT(std::abs(*unmoved - *expected), 1e-2 * *expected);
}

TEST(OsPlus, PaddingHasNoSay) {
  ScoredSite site = outlier_site();
  const SiteTransform alone = os_plus(site, *scheme_named("w6a6"), {.can_shift = true});
  for (Matrix& input : site.inputs) {
    Matrix padded(input.rows() + 3, channels);
    padded << input, Matrix::Constant(3, channels, 1e4F);
    input = std::move(padded);
    TokenMask mask(static_cast<std::size_t>(input.rows()), 1);
    mask[40] = mask[41] = mask[42] = 0;
    site.masks.push_back(std::move(mask));
  }
  const SiteTransform padded = os_plus(site, *scheme_named("w6a6"), {.can_shift = true});
  EXPECT_EQ(padded.transform.shift, alone.transform.shift);
  EXPECT_EQ(padded.threshold, alone.threshold);
  EXPECT_EQ(padded.transform.scale, alone.transform.scale);
}

TEST(OsPlus, OneChannelOfManyTokens) {
  const ScoredSite site = linear_site({support::random_matrix(200, 1, 9, -3.0F, 60.0F)},
                                      {support::random_matrix(5, 1, 10), {}});
  const SiteTransform found = os_plus(site, *scheme_named("w4a4"), {.can_shift = true});
  const SiteTransform all =
      os_plus(site, *scheme_named("w4a4"), {.search = Search::exhaustive, .can_shift = true});
  EXPECT_EQ(found.threshold, all.threshold);
  EXPECT_LE(found.loss_after, found.loss_before);
}

TEST(OsPlusShift, DoesNotOverflow) {
  const float most = std::numeric_limits<float>::max();
  EXPECT_EQ(os_plus_shift({Vector{{most / 2, -most, 0.5F * most}}, Vector{{most, most, most}}}),
            (Vector{{0.75F * most, 0.0F, 0.75F * most}}));
}

}  // namespace
}  // namespace evenkeel
