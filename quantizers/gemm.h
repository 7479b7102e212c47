// Products of float matrices; those of codes are in integer_product.h. These two are the only
// places that name a BLAS or oneDNN, so that another backend can stand here. Every call runs on the
// calling thread alone, gives the same bits whatever other threads do, and may run beside others.
#pragma once

#include "io/matrix.h"

namespace evenkeel {

/// out = x * w^T for activations x [tokens, in] and weights w [out, in].
/// REQUIRES: x.cols() == w.cols(), out [x.rows(), w.rows()], no aliasing.
void product_transposed(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView out);

using DoubleMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// sums += x^T x in double, for x [tokens, channels]: only the lower triangle of sums [channels,
/// channels] is read or written.
void add_gram(const ConstMatrixView& x, DoubleMatrix& sums);

}  // namespace evenkeel
