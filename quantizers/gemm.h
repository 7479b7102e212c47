// Matrix products. The one place that names a BLAS or oneDNN, so that another backend can stand
// here. Every call runs on the calling thread alone, gives the same bits whatever other threads
// do, and may run beside others.
#pragma once

#include <cstdint>
#include <span>

#include "io/matrix.h"

namespace evenkeel {

/// out = alpha * x * w^T for activations x [tokens, in] and weights w [out, in].
/// REQUIRES: x.cols() == w.cols(), out [x.rows(), w.rows()], no aliasing.
void product_transposed(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView out,
                        float alpha = 1.0F);

/// out = x * y for x [m, k], y [k, n]; `accumulate` adds to what out holds.
/// REQUIRES: x.cols() == y.rows(), out [m, n], no aliasing.
void product(const ConstMatrixView& x, const ConstMatrixView& y, MatrixView out,
             bool accumulate = false);

using DoubleMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// sums += x^T x in double, for x [tokens, channels]: only the lower triangle of sums [channels,
/// channels] is read or written.
void add_gram(const ConstMatrixView& x, DoubleMatrix& sums);

/// out[i, j] = sum over k of x[i, k] * w[j, k], exactly, in int32: x [rows, depth] unsigned and
/// w [columns, depth] signed bytes, both row-major without gaps (oneDNN u8s8s32).
/// REQUIRES: depth <= 65536 (no overflow: 255 * 128 * depth < 2^31), sizes agree.
/// Where the machine's u8 x s8 product saturates in 16 bits (found by `integer_product_is_exact`)
/// a scalar path is taken, so that the result is exact everywhere.
/// Throws: MachineError when oneDNN refuses.
void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out);

/// Whether oneDNN's u8 x s8 product is exact here: probed once with pairs of 255 x 127.
bool integer_product_is_exact();

// The scalar reference of the integer product: the path without exact instructions, and what
// tests compare with.
namespace reference {
void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out);
}  // namespace reference

}  // namespace evenkeel
