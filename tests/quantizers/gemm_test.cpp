// Products against sums in double.
#include "quantizers/gemm.h"

#include <limits>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/within.h"

namespace evenkeel {
namespace {

using support::random_matrix;
using support::within;

struct Shape {
  Index rows;
  Index columns;
  Index depth;
};

const std::vector<Shape> shapes{{1, 1, 1},   {1, 9, 33},   {17, 1, 8},   {5, 7, 1},
                                {3, 4, 197}, {33, 65, 64}, {64, 48, 192}};

// A sum of `depth` products of floats, in any order, is within depth * epsilon / 2 of the sum of
// the products' magnitudes, to first order; the final addition and scaling add a rounding each.
support::Bounded exact_product(const Matrix& x, const Matrix& w) {
  const support::Doubles left = x.cast<double>();
  const support::Doubles right = w.transpose().cast<double>();
  const double unit = std::numeric_limits<float>::epsilon() / 2.0;
  return {left * right,
          static_cast<double>(x.cols() + 2) * unit * (left.cwiseAbs() * right.cwiseAbs())};
}

TEST(Product, TransposedAgreesWithDoubles) {
  for (const auto& [rows, columns, depth] : shapes) {
    const Matrix x = random_matrix(rows, depth, 1);
    const Matrix w = random_matrix(columns, depth, 2);
    Matrix out = Matrix::Constant(rows, columns, std::numeric_limits<float>::quiet_NaN());
    product_transposed(x, w, out);
    EXPECT_TRUE(within(out, exact_product(x, w)));
  }
}

TEST(Product, ReadsAndWritesWindows) {
  const Matrix x = random_matrix(9, 20, 6);
  const Matrix w = random_matrix(8, 30, 7);
  Matrix out = Matrix::Constant(10, 12, 5.0F);
  product_transposed(x.block(1, 3, 4, 6), w.block(2, 10, 5, 6), out.block(3, 4, 4, 5));
  EXPECT_TRUE(
      within(out.block(3, 4, 4, 5), exact_product(x.block(1, 3, 4, 6), w.block(2, 10, 5, 6))));
  // One row of a window: its stride says nothing.
  product_transposed(x.block(0, 0, 1, 6), w.block(0, 0, 5, 6), out.block(3, 4, 1, 5));
  EXPECT_TRUE(
      within(out.block(3, 4, 1, 5), exact_product(x.block(0, 0, 1, 6), w.block(0, 0, 5, 6))));
  out.block(3, 4, 4, 5).setConstant(5.0F);
  EXPECT_EQ(out, Matrix::Constant(10, 12, 5.0F));
}

TEST(Product, OfNothingIsZeroOrNothing) {
  Matrix out = Matrix::Constant(3, 4, 5.0F);
  product_transposed(Matrix(3, 0), Matrix(4, 0), out);
  EXPECT_EQ(out, Matrix::Zero(3, 4));
  Matrix nothing(0, 4);
  product_transposed(Matrix(0, 7), Matrix(4, 7), nothing);
  EXPECT_EQ(nothing.size(), 0);
}

TEST(Product, GivesTheSameBitsBesideOtherThreads) {
  const Matrix x = random_matrix(64, 192, 8);
  const Matrix w = random_matrix(96, 192, 9);
  Matrix alone(64, 96);
  product_transposed(x, w, alone);
  std::vector<Matrix> results(8, Matrix(64, 96));
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (Matrix& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) product_transposed(x, w, result);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Matrix& result : results) EXPECT_EQ(result, alone);
}

}  // namespace
}  // namespace evenkeel
