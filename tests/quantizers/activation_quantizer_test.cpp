#include "quantizers/activation_quantizer.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/affine.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(ActivationQuantizer, OfSixteenBitsChangesNothing) {
  const Matrix before = support::random_matrix(5, 7, 1, -1e4F, 1e4F);
  Matrix values = before;
  ActivationQuantizer({.bits = unquantized_bits}).apply(values);
  EXPECT_EQ(values, before);
}

TEST(ActivationQuantizer, OneRangeForAllValuesByHand) {
  const ActivationQuantizer quantizer({.bits = 2}, {{-1.0F, 2.0F}});
  EXPECT_EQ(quantizer.parameters(), (std::vector<AffineParameters>{{1.0F, 1}}));
  EXPECT_EQ(quantizer.ranges(), (std::vector<Range>{{-1.0F, 2.0F}}));
  Matrix values(2, 3);
  values << -5.0F, -0.5F, 0.5F, 1.5F, 2.0F, 99.0F;
  quantizer.apply(values);
  Matrix expected(2, 3);
  expected << -1.0F, 0.0F, 0.0F, 2.0F, 2.0F, 2.0F;
  EXPECT_EQ(values, expected);
}

TEST(ActivationQuantizer, OneRangeForEachChannelByHand) {
  const ActivationQuantizer quantizer({.bits = 2, .granularity = Granularity::per_channel},
                                      {{0.0F, 3.0F}, {-6.0F, 0.0F}, {0.0F, 0.0F}});
  Matrix values(2, 3);
  values << 2.5F, -3.0F, 1.0F, -1.0F, -99.0F, 0.0F;
  quantizer.apply(values);
  constexpr float three_steps = 3.0F * std::numeric_limits<float>::epsilon();
  Matrix expected(2, 3);
  expected << 2.0F, -4.0F, three_steps, 0.0F, -6.0F, 0.0F;
  EXPECT_EQ(values, expected);
}

TEST(ActivationQuantizer, EachTokenFindsItsOwnRange) {
  const ActivationQuantizer quantizer({.bits = 2, .granularity = Granularity::per_token});
  EXPECT_TRUE(quantizer.ranges().empty());
  EXPECT_TRUE(quantizer.parameters().empty());
  Matrix values(4, 3);
  values << 0.5F, 1.5F, 3.0F,  // step 1
      -6.0F, -3.0F, -1.0F,     // step 2, zero 3
      0.0F, 0.0F, 0.0F,        //
      0.0F, 0.1F, 300.0F;      // step 100
  quantizer.apply(values);
  Matrix expected(4, 3);
  expected << 0.0F, 2.0F, 3.0F, -6.0F, -4.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 300.0F;
  EXPECT_EQ(values, expected);
}

TEST(ActivationQuantizer, SymmetricTokensTakeTheirLargestMagnitude) {
  const ActivationQuantizer quantizer(
      {.bits = 3, .granularity = Granularity::per_token, .symmetric = true});
  Matrix values(1, 4);
  values << -6.0F, 1.0F, 3.0F, 5.0F;
  quantizer.apply(values);
  Matrix expected(1, 4);
  expected << -6.0F, 0.0F, 4.0F, 4.0F;  // step 2: 0.5, 1.5 and 2.5 go to 0, 2 and 2
  EXPECT_EQ(values, expected);
}

TEST(ActivationQuantizer, EachGroupFindsItsOwnRangeTheShortOneToo) {
  const ActivationQuantizer quantizer(
      {.bits = 2, .granularity = Granularity::per_group, .group_size = 2});
  Matrix values(1, 5);
  values << 0.4F, 3.0F, 1.0F, 6.0F, 30.0F;
  quantizer.apply(values);
  Matrix expected(1, 5);
  expected << 0.0F, 3.0F, 0.0F, 6.0F, 30.0F;
  EXPECT_EQ(values, expected);
}

TEST(ActivationQuantizer, AWindowLeavesItsSurroundingsAlone) {
  for (const auto granularity : {Granularity::per_token, Granularity::per_group}) {
    const ActivationQuantizer quantizer({.bits = 4, .granularity = granularity, .group_size = 3});
    Matrix whole = support::random_matrix(6, 11, 1);
    Matrix piece = whole.block(1, 2, 3, 7);
    Matrix expected = whole;
    quantizer.apply(piece);
    expected.block(1, 2, 3, 7) = piece;
    quantizer.apply(whole.block(1, 2, 3, 7));
    EXPECT_EQ(whole, expected);
  }
}

TEST(ActivationQuantizer, NothingToDoIsNoError) {
  Matrix nothing(0, 8);
  ActivationQuantizer({.granularity = Granularity::per_token}).apply(nothing);
  EXPECT_EQ(nothing.rows(), 0);
}

TEST(ActivationQuantizer, AStaticRangeKeepsNaNAndClampsInfinity) {
  Matrix values(1, 4);
  values << nan, infinity, -infinity, 1.0F;
  ActivationQuantizer({.bits = 2}, {{-1.0F, 2.0F}}).apply(values);
  EXPECT_TRUE(std::isnan(values(0, 0)));
  EXPECT_EQ(values(0, 1), 2.0F);
  EXPECT_EQ(values(0, 2), -1.0F);
  EXPECT_EQ(values(0, 3), 1.0F);
}

TEST(ActivationQuantizer, ADynamicRangeThatIsNotFiniteMakesItsValuesNaNAndNoOthers) {
  for (const float wrong : {nan, infinity, -infinity}) {
    Matrix values = Matrix::Constant(2, 8, 1.0F);
    values(0, 5) = wrong;
    Matrix by_group = values;
    ActivationQuantizer({.granularity = Granularity::per_token}).apply(values);
    EXPECT_TRUE(values.row(0).array().isNaN().all());
    EXPECT_TRUE(values.row(1).array().isFinite().all());
    ActivationQuantizer({.granularity = Granularity::per_group, .group_size = 4}).apply(by_group);
    EXPECT_TRUE(by_group.row(0).tail(4).array().isNaN().all());
    EXPECT_TRUE(by_group.row(0).head(4).array().isFinite().all());
  }
}

TEST(ActivationQuantizer, OutlierColumnsStayAndLeaveTheRangesOfTheOthers) {
  const ActivationQuantizer quantizer({.bits = 4,
                                       .granularity = Granularity::per_token,
                                       .symmetric = true,
                                       .outlier_threshold = 6.0});
  Matrix values(2, 4);
  values << 7.0F, -9.0F, 3.3F, 6.0F,  //
      0.7F, 0.3F, 0.4F, 0.1F;
  const Matrix given = values;
  quantizer.apply(values);
  // The first two columns hold a value beyond 6; in the second row they stay as well.
  EXPECT_EQ(values.leftCols(2), given.leftCols(2));
  Matrix others = given.rightCols(2);
  ActivationQuantizer({.bits = 4, .granularity = Granularity::per_token, .symmetric = true})
      .apply(others);
  EXPECT_EQ(values.rightCols(2), others);
  EXPECT_NE(others, given.rightCols(2));
  Matrix all = Matrix::Constant(3, 3, 7.0F);
  quantizer.apply(all);
  EXPECT_EQ(all, Matrix::Constant(3, 3, 7.0F));
}

}  // namespace
}  // namespace evenkeel
