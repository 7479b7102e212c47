// Comparison of floats with doubles, each element within a bound of its own.
#pragma once

#include <cmath>

#include <Eigen/Core>
#include <gtest/gtest.h>

#include "io/matrix.h"

namespace evenkeel::support {

using Doubles = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Values in double, and how far an evaluation in float may lie from each.
struct Bounded {
  Doubles value;
  Doubles bound;
};

/// Every |actual - expected| is at most its bound. NaN anywhere, an infinity, a negative bound or
/// another shape is a failure.
inline testing::AssertionResult within(const ConstMatrixView& actual, const Bounded& expected) {
  const Doubles& value = expected.value;
  if (actual.rows() != value.rows() || actual.cols() != value.cols() ||
      value.rows() != expected.bound.rows() || value.cols() != expected.bound.cols()) {
    return testing::AssertionFailure()
           << "shape [" << actual.rows() << ", " << actual.cols() << "], expected [" << value.rows()
           << ", " << value.cols() << "]";
  }
  for (Index i = 0; i < value.rows(); ++i) {
    for (Index j = 0; j < value.cols(); ++j) {
      const double difference = std::abs(static_cast<double>(actual(i, j)) - value(i, j));
      if (std::isfinite(difference) && difference <= expected.bound(i, j)) continue;
      return testing::AssertionFailure()
             << "row " << i << ", column " << j << ": " << actual(i, j) << ", expected "
             << value(i, j) << " within " << expected.bound(i, j);
    }
  }
  return testing::AssertionSuccess();
}

/// The same with one bound for all.
inline testing::AssertionResult within(const ConstMatrixView& actual, const Doubles& expected,
                                       double bound) {
  return within(actual, {expected, Doubles::Constant(expected.rows(), expected.cols(), bound)});
}

}  // namespace evenkeel::support
