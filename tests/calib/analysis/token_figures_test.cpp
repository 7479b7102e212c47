#include "calib/analysis/token_figures.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

TEST(TokenFiguresTest, ByHand) {
  // 2 bits: codes -1, 0, 1, the step is the absmax. Ties go to the even code, 0.
  Matrix values(2, 4);
  values << 1.0F, 0.5F, 0.25F, -1.0F,  //
      -4.0F, 3.0F, 1.0F, 0.0F;
  TokenFigures figures;
  figures.observe(values, 4.0F, 2);
  // Token 0 in steps of 1: errors 0, 0.5, 0.25, 0; token 1 in steps of 4: 0, 1, 1, 0.
  EXPECT_DOUBLE_EQ(figures.rmse_per_token(), std::sqrt((0.25 + 0.0625 + 1.0 + 1.0) / 8.0));
  // All in steps of 4: token 0 becomes zeros.
  EXPECT_DOUBLE_EQ(figures.rmse_per_tensor(),
                   std::sqrt((1.0 + 0.25 + 0.0625 + 1.0 + 1.0 + 1.0) / 8.0));
  // Means 0.1875 and 0.
  const double first = std::sqrt((1.0 + 0.25 + 0.0625 + 1.0) / 4.0 - 0.1875 * 0.1875);
  EXPECT_NEAR(figures.deviation(), 0.5 * (first + std::sqrt(26.0 / 4.0)), 1e-15);
}

TEST(TokenFiguresTest, SplitAndMergedIsWhole) {
  const Matrix values = support::random_matrix(30, 17, 5);
  const float absmax = values.cwiseAbs().maxCoeff();
  TokenFigures whole;
  whole.observe(values, absmax, 8);
  for (const Index piece : {1, 7, 29}) {
    TokenFigures merged;
    for (Index first = 0; first < 30; first += piece) {
      TokenFigures part;
      part.observe(values.middleRows(first, std::min<Index>(piece, 30 - first)), absmax, 8);
      merged.merge(part);
    }
    EXPECT_NEAR(merged.rmse_per_token(), whole.rmse_per_token(), 1e-15);
    EXPECT_NEAR(merged.rmse_per_tensor(), whole.rmse_per_tensor(), 1e-15);
    EXPECT_NEAR(merged.deviation(), whole.deviation(), 1e-14);
  }
  EXPECT_LT(whole.rmse_per_token(), whole.rmse_per_tensor());
}

TEST(TokenFiguresTest, ZerosOneTokenAndNothing) {
  TokenFigures figures;
  EXPECT_EQ(figures.rmse_per_token(), 0.0);
  EXPECT_EQ(figures.deviation(), 0.0);
  figures.observe(Matrix::Zero(3, 5), 0.0F, 8);
  EXPECT_EQ(figures.rmse_per_token(), 0.0);
  EXPECT_EQ(figures.rmse_per_tensor(), 0.0);
  EXPECT_EQ(figures.deviation(), 0.0);
  TokenFigures one;
  one.observe(Matrix::Constant(1, 1, -3.0F), 3.0F, 8);
  EXPECT_NEAR(one.rmse_per_token(), 0.0, 3.0 * 0x1p-23);
  EXPECT_EQ(one.deviation(), 0.0);
}

TEST(TokenFiguresTest, NanIsKept) {
  Matrix values = Matrix::Ones(2, 3);
  values(1, 1) = std::numeric_limits<float>::quiet_NaN();
  TokenFigures figures;
  figures.observe(values, 1.0F, 8);
  EXPECT_TRUE(std::isnan(figures.rmse_per_token()));
  EXPECT_TRUE(std::isnan(figures.rmse_per_tensor()));
  EXPECT_TRUE(std::isnan(figures.deviation()));
}

}  // namespace
}  // namespace evenkeel
