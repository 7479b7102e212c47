// Codes, steps and zero points worked out by hand from the definition in affine.h.
#include "quantizers/affine.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr float epsilon = std::numeric_limits<float>::epsilon();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

TEST(CodeRange, IsUnsignedWhenAsymmetricAndBalancedWhenSymmetric) {
  EXPECT_EQ(code_range(8, false), (CodeRange{0, 255}));
  EXPECT_EQ(code_range(4, false), (CodeRange{0, 15}));
  EXPECT_EQ(code_range(2, false), (CodeRange{0, 3}));
  EXPECT_EQ(code_range(8, true), (CodeRange{-127, 127}));
  EXPECT_EQ(code_range(4, true), (CodeRange{-7, 7}));
  EXPECT_EQ(code_range(2, true), (CodeRange{-1, 1}));
}

TEST(AffineParameters, AsymmetricRangeAlwaysHoldsZero) {
  // (1.5 - -0.5) / 255, and 0.5 / (2 / 255) = 63.75 rounds to 64.
  EXPECT_EQ(affine_parameters({-0.5F, 1.5F}, 8, false), (AffineParameters{2.0F / 255.0F, 64}));
  // Positive only: the low end is 0. Negative only: the high end is 0.
  EXPECT_EQ(affine_parameters({1.0F, 3.0F}, 4, false), (AffineParameters{3.0F / 15.0F, 0}));
  EXPECT_EQ(affine_parameters({-3.0F, -1.0F}, 4, false), (AffineParameters{3.0F / 15.0F, 15}));
}

TEST(AffineParameters, ZeroPointRoundsHalfToEven) {
  // 2 bits, step (2.5 + 0.5) / 3 = 1: zero at 0.5, which rounds to 0; then 1.5 to 2.
  EXPECT_EQ(affine_parameters({-0.5F, 2.5F}, 2, false), (AffineParameters{1.0F, 0}));
  EXPECT_EQ(affine_parameters({-1.5F, 1.5F}, 2, false), (AffineParameters{1.0F, 2}));
  EXPECT_EQ(affine_parameters({-2.5F, 0.5F}, 2, false), (AffineParameters{1.0F, 2}));
}

TEST(AffineParameters, SymmetricStepComesFromTheLargerEnd) {
  EXPECT_EQ(affine_parameters({-0.5F, 1.5F}, 8, true), (AffineParameters{1.5F / 127.0F, 0}));
  EXPECT_EQ(affine_parameters({-2.0F, 1.5F}, 4, true), (AffineParameters{2.0F / 7.0F, 0}));
  EXPECT_EQ(affine_parameters({-2.0F, -1.5F}, 2, true), (AffineParameters{2.0F, 0}));
}

TEST(AffineParameters, StepIsAtLeastEpsilon) {
  for (const bool symmetric : {false, true}) {
    EXPECT_EQ(affine_parameters({0.0F, 0.0F}, 8, symmetric), (AffineParameters{epsilon, 0}));
    EXPECT_EQ(affine_parameters({1e-42F, 1e-40F}, 8, symmetric), (AffineParameters{epsilon, 0}));
  }
  // -2 epsilon / epsilon = -2, though the range asked for a far smaller step.
  EXPECT_EQ(affine_parameters({-2.0F * epsilon, 0.0F}, 8, false), (AffineParameters{epsilon, 2}));
}

TEST(AffineParameters, TheWidestFiniteRangeHasAFiniteStep) {
  const auto parameters = affine_parameters({-largest, largest}, 8, false);
  EXPECT_TRUE(std::isfinite(parameters.step));
  // 2 * largest / 255 to a rounding of each of the two quotients and of their difference.
  EXPECT_NEAR(parameters.step / (largest / 255.0F), 2.0F, 4.0F * epsilon);
  EXPECT_EQ(parameters.zero_point, 128);
}

TEST(AffineParameters, ARangeThatIsNotFiniteMakesEverythingNaN) {
  for (const Range range : {Range{nan, nan}, Range{-infinity, 1.0F}, Range{-1.0F, infinity}}) {
    for (const bool symmetric : {false, true}) {
      const auto parameters = affine_parameters(range, 8, symmetric);
      EXPECT_TRUE(std::isnan(parameters.step));
      EXPECT_EQ(parameters.zero_point, 0);
    }
  }
}

TEST(Widened, HoldsBothAndNeverLosesNaN) {
  EXPECT_EQ(widened({-1.0F, 2.0F}, {0.0F, 3.0F}), (Range{-1.0F, 3.0F}));
  EXPECT_EQ(widened({0.0F, 3.0F}, {-1.0F, 2.0F}), (Range{-1.0F, 3.0F}));
  EXPECT_EQ(widened({-2.0F, -1.0F}, {-5.0F, -3.0F}), (Range{-5.0F, -1.0F}));
  for (const Range range : {widened({nan, nan}, {0.0F, 1.0F}), widened({0.0F, 1.0F}, {nan, nan})}) {
    EXPECT_TRUE(std::isnan(range.low));
    EXPECT_TRUE(std::isnan(range.high));
  }
}

TEST(RangeOfMatrix, LooksAtEveryRowOfAWindowAndAtNothingElse) {
  Matrix whole = Matrix::Constant(4, 7, 100.0F);
  whole.block(1, 2, 3, 2) << 1.0F, -2.0F, 3.0F, 0.5F, -1.0F, 2.0F;
  EXPECT_EQ(range_of_matrix(whole.block(1, 2, 3, 2)), (Range{-2.0F, 3.0F}));
}

TEST(Quantize, RoundsHalfToEvenBeforeTheZeroPointIsAdded) {
  const CodeRange bytes{0, 255};
  // An odd zero point would turn the parity around if it were added first.
  for (const std::int32_t zero : {10, 11}) {
    const AffineParameters parameters{2.0F, zero};
    EXPECT_EQ(reference::quantize(1.0F, parameters, bytes), zero);       // 0.5 -> 0
    EXPECT_EQ(reference::quantize(3.0F, parameters, bytes), zero + 2);   // 1.5 -> 2
    EXPECT_EQ(reference::quantize(5.0F, parameters, bytes), zero + 2);   // 2.5 -> 2
    EXPECT_EQ(reference::quantize(-1.0F, parameters, bytes), zero);      // -0.5 -> 0
    EXPECT_EQ(reference::quantize(-3.0F, parameters, bytes), zero - 2);  // -1.5 -> -2
    EXPECT_EQ(reference::quantize(5.25F, parameters, bytes), zero + 3);  // 2.625 -> 3
  }
}

TEST(Quantize, DividesTruly) {
  // Multiplying by the reciprocal of the step, 7 - 2^-22, gives 13.499999 and code 13.
  constexpr float seventh = 1.0F / 7.0F;
  EXPECT_EQ(reference::quantize(13.5F * seventh, {seventh, 0}, {0, 255}), 14);
  // 0.3f is above 3/10, so that the quotient is below 7.5; by the reciprocal it is 7.5: code 8.
  EXPECT_EQ(reference::quantize(2.25F, {0.3F, 0}, {0, 255}), 7);
}

TEST(Quantize, ClampsWhatIsFarOutside) {
  for (const float value : {300.0F, 1e10F, largest, infinity}) {
    EXPECT_EQ(reference::quantize(value, {epsilon, 7}, {0, 255}), 255);
    EXPECT_EQ(reference::quantize(-value, {epsilon, 7}, {0, 255}), 0);
    EXPECT_EQ(reference::quantize(value, {1.0F, 0}, {-7, 7}), 7);
    EXPECT_EQ(reference::quantize(-value, {1.0F, 0}, {-7, 7}), -7);
  }
}

TEST(Dequantize, CountsStepsFromTheZeroPoint) {
  EXPECT_EQ(reference::dequantize(255, {0.5F, 55}), 100.0F);
  EXPECT_EQ(reference::dequantize(0, {0.5F, 55}), -27.5F);
  EXPECT_EQ(reference::dequantize(-7, {0.25F, 0}), -1.75F);
  EXPECT_FALSE(std::signbit(reference::dequantize(55, {0.5F, 55})));
}

}  // namespace
}  // namespace evenkeel
