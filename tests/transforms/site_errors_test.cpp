#include "transforms/site_errors.h"

#include <gtest/gtest.h>

#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

Scheme two_bits() {
  Scheme scheme;
  scheme.weights = {.bits = 2, .granularity = Granularity::per_channel};
  scheme.activations = {.bits = 2, .granularity = Granularity::per_tensor};
  return scheme;
}

// Steps are one, so that errors can be read off: 0.5 becomes 0 and 0.6 becomes 1.
ScoredSite small_site() {
  Matrix input(2, 3);
  input << 0.0F, 0.5F, 1.0F, 2.0F, 3.0F, 0.0F;
  Linear reader;
  reader.weight.resize(2, 3);
  reader.weight << 0.0F, 0.6F, 3.0F, 3.0F, 2.0F, 0.25F;
  return linear_site({input}, reader);
}

TEST(SiteErrorsTest, OfASiteAsItIs) {
  const SiteErrors errors = site_errors(small_site(), ChannelTransform::identity(3), two_bits());
  EXPECT_EQ(errors.low, 0.0);
  EXPECT_EQ(errors.high, 3.0);
  EXPECT_DOUBLE_EQ(errors.input, 0.25 / 2);
  EXPECT_NEAR(errors.weight, 0.16 + 0.0625, 1e-6);  // 0.6F is not 0.6
  // Products with {0 0 1; 2 3 0} and {0 1 3; 3 2 0} less {3.3 1.25; 1.8 12}.
  EXPECT_NEAR(errors.output, (0.09 + 1.5625 + 1.44) / 2, 1e-5);
}

TEST(SiteErrorsTest, OfTheShiftedAndScaledSite) {
  ChannelTransform transform = ChannelTransform::identity(3);
  transform.shift << 0.0F, 0.5F, 0.0F;
  transform.scale << 1.0F, 1.0F, 0.5F;
  // The input is {0 0 2; 2 2.5 0}: a step of 2.5 / 3 leaves 2 - 5/3 twice.
  const SiteErrors errors = site_errors(small_site(), transform, two_bits());
  EXPECT_EQ(errors.low, 0.0);
  EXPECT_EQ(errors.high, 2.5);
  EXPECT_NEAR(errors.input, (1.0 / 9 + 1.0 / 9) / 2, 1e-6);
  // Weights {0 0.6 1.5; 3 2 0.125}: steps 0.5 and 1.
  EXPECT_NEAR(errors.weight, 0.01 + 0.015625, 1e-6);
}

TEST(SiteErrorsTest, WhatIsNotQuantizedHasNone) {
  Scheme scheme = two_bits();
  scheme.activations = {.bits = unquantized_bits};
  scheme.weights = {.bits = unquantized_bits};
  const SiteErrors errors = site_errors(small_site(), ChannelTransform::identity(3), scheme);
  EXPECT_EQ(errors.input, 0.0);
  EXPECT_EQ(errors.weight, 0.0);
  EXPECT_EQ(errors.output, 0.0);
}

}  // namespace
}  // namespace evenkeel
