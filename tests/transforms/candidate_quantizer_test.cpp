#include "transforms/candidate_quantizer.h"

#include <gtest/gtest.h>

#include "quantizers/weight_quantizer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

const ChannelExtrema extrema{Vector{{-8.0F, -1.0F, 2.0F}}, Vector{{4.0F, 6.0F, 3.0F}}};

TensorScheme with(Granularity granularity) {
  return {.bits = 6, .granularity = granularity, .group_size = 2};
}

TEST(ScaledQuantizer, PerTensorHasTheRangeOfTheScaledInput) {
  const auto quantizer =
      scaled_quantizer(with(Granularity::per_tensor), extrema, Vector{{4.0F, 2.0F, 0.5F}});
  // By hand: channels give [-2, 1], [-0.5, 3], [4, 6].
  EXPECT_EQ(quantizer.ranges(), (std::vector<Range>{{-2.0F, 6.0F}}));
  EXPECT_EQ(quantizer.scheme().bits, 6);
}

TEST(ScaledQuantizer, PerChannelHasARangeForEach) {
  const auto quantizer =
      scaled_quantizer(with(Granularity::per_channel), extrema, Vector{{4.0F, 2.0F, 0.5F}});
  EXPECT_EQ(quantizer.ranges(), (std::vector<Range>{{-2.0F, 1.0F}, {-0.5F, 3.0F}, {4.0F, 6.0F}}));
}

TEST(ThresholdQuantizer, PerTensorHasTheThresholdOnBothSides) {
  const auto quantizer = threshold_quantizer(with(Granularity::per_tensor), extrema, 2.5);
  EXPECT_EQ(quantizer.ranges(), (std::vector<Range>{{-2.5F, 2.5F}}));
}

TEST(ThresholdQuantizer, PerChannelHasTheRangesUnderItsScale) {
  const auto quantizer = threshold_quantizer(with(Granularity::per_channel), extrema, 2.0);
  // Scales by hand: 8 / 2, 6 / 2, 3 / 2.
  EXPECT_EQ(quantizer.ranges(),
            (std::vector<Range>{{-2.0F, 1.0F}, {-1.0F / 3.0F, 2.0F}, {2.0F / 1.5F, 2.0F}}));
}

TEST(CandidateQuantizers, OfDynamicSchemesFindTheirOwnRanges) {
  for (const Granularity granularity : {Granularity::per_token, Granularity::per_group}) {
    EXPECT_TRUE(scaled_quantizer(with(granularity), extrema, Vector::Ones(3)).ranges().empty());
    EXPECT_TRUE(threshold_quantizer(with(granularity), extrema, 2.0).ranges().empty());
  }
}

TEST(UnscaledLoss, IsThatOfQuantizingAsItStands) {
  const ScoredSite site = linear_site({support::random_matrix(9, 4, 1, -1.0F, 5.0F)},
                                      {support::random_matrix(6, 4, 2), {}});
  Scheme scheme = *scheme_named("w4a4");
  Matrix input = site.inputs.front();
  ActivationQuantizer(scheme.activations, {{input.minCoeff(), input.maxCoeff()}}).apply(input);
  Matrix weight = site.weight;
  fake_quantize_weight(weight, scheme.weights);
  const double expected =
      (input.cast<double>() * weight.cast<double>().transpose() -
       site.inputs.front().cast<double>() * site.weight.cast<double>().transpose())
          .squaredNorm() /
      9.0;
  // Outputs of size 10 off by a few epsilon, where their differences are of size 0.1 and more.
  EXPECT_NEAR(unscaled_loss(SiteScorer(site, scheme.weights), scheme), expected, 1e-4 * expected);
}

}  // namespace
}  // namespace evenkeel
