#include "calib/analysis/spectral_norm.h"

#include <cmath>

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

// What spectral_norm.h promises, and float's rounding of the matrices that are made of factors.
constexpr double tolerance = 1e-6;

double by_svd(const Matrix& weight) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(weight.cast<double>()).singularValues()(0);
}

void expect_norm(const Matrix& weight) {
  const double expected = by_svd(weight);
  EXPECT_NEAR(spectral_norm(weight), expected, tolerance * expected)
      << weight.rows() << " x " << weight.cols();
}

TEST(SpectralNormTest, OfEveryShape) {
  for (const Index rows : {1, 2, 3, 24, 25, 70}) {
    for (const Index columns : {1, 2, 3, 24, 25, 70}) {
      expect_norm(support::random_matrix(rows, columns, 11));
    }
  }
}

TEST(SpectralNormTest, OfHardSpectra) {
  expect_norm(Matrix::Identity(60, 60));    // all alike
  expect_norm(Matrix::Ones(40, 70));        // rank one
  Matrix close = Matrix::Identity(60, 60);  // the first two hardly apart
  close(7, 7) = 1.00001F;
  expect_norm(close);
  Matrix one = Matrix::Zero(50, 80);
  one(3, 77) = -2.0F;
  expect_norm(one);
}

TEST(SpectralNormTest, OfAnyMagnitude) {
  const Matrix weight = support::random_matrix(30, 40, 12);
  const double expected = by_svd(weight);
  for (const float scale : {1e-30F, 1e-12F, 1e12F, 1e30F}) {
    const auto wide = static_cast<double>(scale);
    EXPECT_NEAR(spectral_norm(weight * scale) / wide, expected, 2.0 * tolerance * expected);
  }
}

TEST(SpectralNormTest, OfZerosAndOfNothing) {
  EXPECT_EQ(spectral_norm(Matrix::Zero(20, 30)), 0.0);
  EXPECT_EQ(spectral_norm(Matrix(0, 5)), 0.0);
  EXPECT_EQ(spectral_norm(Matrix::Constant(1, 1, -3.0F)), 3.0);
}

}  // namespace
}  // namespace evenkeel
