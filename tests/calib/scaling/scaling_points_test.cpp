#include "calib/scaling/scaling_points.h"

#include <cmath>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// Two models of one family, whose tokens stand for 4 and 2 bytes.
ScalingResult two_models() {
  ScalingResult result;
  result.models = {{.label = "small",
                    .family = "opt",
                    .parameters = 1,
                    .scores = {{"text", 16.0}},
                    .bits = {.codes = 1000},
                    .token_bytes = {4.0}},
                   {.label = "large",
                    .family = "opt",
                    .parameters = 2,
                    .scores = {{"text", 2.0}},
                    .bits = {.codes = 3000},
                    .token_bytes = {2.0}}};
  const auto add = [&](std::size_t model, int bits, std::uint64_t total, double perplexity) {
    ScaledRow& row = result.rows.emplace_back();
    row.model = model;
    row.weights = {.bits = bits, .granularity = Granularity::per_block, .codes = Codes::linear};
    row.bits.codes = total;
    row.scores = {{"text", perplexity}};
  };
  add(0, 3, 200, 64.0);
  add(0, 4, 250, 32.0);
  add(1, 3, 600, 4.0);
  add(1, 4, 800, 4.0);  // no better than what is smaller
  return result;
}

TEST(ScalingPoints, LossesAreBitsOfAByteWhereTextIsKnown) {
  ScalingResult result = two_models();
  EXPECT_EQ(loss_name(result), "bits per byte");
  const auto points = points_of(result);
  ASSERT_EQ(points.size(), 6U);
  EXPECT_DOUBLE_EQ(points[0].loss, 6.0 / 4.0);
  EXPECT_DOUBLE_EQ(points[2].loss, 2.0 / 2.0);
  EXPECT_FALSE(points[4].row.has_value());
  EXPECT_DOUBLE_EQ(points[5].loss, 1.0 / 2.0);
  result.models[1].token_bytes = {std::nullopt};  // token ids
  EXPECT_EQ(loss_name(result), "perplexity");
  EXPECT_DOUBLE_EQ(points_of(result)[2].loss, 4.0);
}

TEST(ScalingPoints, TheFrontHasWhatNothingSmallerBeats) {
  const auto front = pareto_front(points_of(two_models()));
  ASSERT_EQ(front.size(), 4U);
  EXPECT_EQ(front[0].total_bits, 200U);
  EXPECT_EQ(front[1].total_bits, 250U);
  EXPECT_EQ(front[2].total_bits, 600U);
  EXPECT_EQ(front[3].total_bits, 3000U);  // and not the small model as it is stored
}

TEST(ScalingPoints, LinesBetweenSizesMeetAtOne) {
  const auto points = points_of(two_models());
  // 16 bits reach from 1000 to 3000, 3 bits from 200 to 600: they share no size.
  EXPECT_FALSE(at_common_size(points).has_value());
  ScalingResult result = two_models();
  result.models[0].bits.codes = 400;
  const auto common = at_common_size(points_of(result));
  ASSERT_TRUE(common.has_value());
  EXPECT_NEAR(common->total_bits, std::sqrt(400.0 * 600.0), 1e-9);
  // Half of the way from 200 to 600 in logarithms is sqrt(120000), and so on.
  const double part = std::log(std::sqrt(240000.0) / 200.0) / std::log(3.0);
  EXPECT_NEAR(common->losses.at(3), 1.5 + part * (1.0 - 1.5), 1e-12);
  EXPECT_EQ(common->losses.size(), 3U);
}

TEST(ScalingPoints, ABudgetTakesTheBestThatFits) {
  const auto points = points_of(two_models());
  EXPECT_FALSE(best_within(points, 24).has_value());
  EXPECT_EQ(best_within(points, 25)->total_bits, 200U);
  EXPECT_EQ(best_within(points, 100)->total_bits, 600U);
  EXPECT_EQ(best_within(points, 1000)->total_bits, 3000U);
}

TEST(ScalingPoints, EntropyIsTheBitsOfCodesThatAreUsed) {
  EXPECT_DOUBLE_EQ(entropy_of({5, 5, 5, 5}), 2.0);
  EXPECT_DOUBLE_EQ(entropy_of({7, 0, 0, 0}), 0.0);
  EXPECT_DOUBLE_EQ(entropy_of({2, 1, 1, 0}), 1.5);
}

TEST(ScalingPoints, SettingsAreSaidInWords) {
  TensorScheme weights{.bits = 4, .granularity = Granularity::per_block, .codes = Codes::floating};
  EXPECT_EQ(text_of(weights), "4 bits, float, blocks of 64");
  weights.paper_exponents = true;  // also where they are the default's
  weights.bits = 3;
  EXPECT_EQ(text_of(weights), "3 bits, float (paper), blocks of 64");
  weights.paper_exponents = false;
  weights.bits = 4;
  weights.exponent_bits = 3;
  weights.centered = true;
  weights.granularity = Granularity::per_channel;
  EXPECT_EQ(text_of(weights), "4 bits, float e3, centered, rows");
}

}  // namespace
}  // namespace evenkeel
