// GPTQ (Frantar et al. 2022): weights rounded one column after another, the error of each taken up
// by the columns still to come, so that the layer's output on the calibration inputs moves least.
//
// With H = 2/n X^T X of the inputs X [n, in] and U the upper Cholesky factor of its inverse
// (H^-1 = U^T U), a column j of W [out, in] gets the code nearest to it, and what that leaves,
// e = (w_j - q_j) / U_jj, moves each later column k by -e U_jk.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/gemm.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// Sums X^T X of a linear's inputs, in double: the damped Hessian's condition number reaches
/// channels / damping, 1e6 and more, of which float would leave no digit in the inverse.
/// Sums are in the order of the calls. Not thread-safe.
class InputHessian {
 public:
  explicit InputHessian(Index channels) : sums_(DoubleMatrix::Zero(channels, channels)) {}

  /// Adds every row of `inputs` [tokens, channels]; there may be none.
  void observe(const ConstMatrixView& inputs);
  /// REQUIRES: the same number of channels.
  void merge(const InputHessian& other);

  Index tokens() const { return tokens_; }
  /// 2/n X^T X, symmetric. REQUIRES: tokens() > 0.
  DoubleMatrix finish() const;

 private:
  DoubleMatrix sums_;  // lower triangle
  Index tokens_ = 0;
};

/// What GPTQ needs of a Hessian; the same for every weight that reads those inputs.
class GptqFactor {
 public:
  /// Columns whose input was always zero are dead: they are left out of the mean that `damping` is
  /// a fraction of, and are rounded to the nearest, since nothing is known of their error.
  /// REQUIRES: hessian symmetric, options valid (faults_of). Throws: InputError when the Hessian
  /// is not finite or not positive.
  GptqFactor(const DoubleMatrix& hessian, const GptqOptions& options);

  /// order()[i] is the column that is rounded i-th.
  const std::vector<Index>& order() const { return order_; }
  /// Upper Cholesky factor of the inverse of the damped Hessian, in that order.
  const DoubleMatrix& upper() const { return upper_; }

 private:
  std::vector<Index> order_;
  DoubleMatrix upper_;
};

/// Codes of `weight` [out, in] in the places of its columns, with steps by the scheme's range: of
/// the weight as it is given, or of each group when it is reached (scheme.gptq.static_groups).
/// Columns move in double; each is rounded in float, as `quantize_weight` does. Of a signed code
/// book the values and (but for groups whose steps are found on the way) the constants are those of
/// the weight as it is given. REQUIRES: faults_of(scheme) is empty; weight finite and not empty;
/// `factor` of weight.cols() columns, made with scheme.gptq.
QuantizedWeight gptq(const ConstMatrixView& weight, const GptqFactor& factor,
                     const TensorScheme& scheme);

}  // namespace evenkeel
