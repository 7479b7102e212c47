// The vocabulary of numbers: Eigen types, fixed once. There is no tensor class of our own.
//
// Activations are [tokens, channels] and weights [out, in], both row-major, as stored on disk.
#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

namespace evenkeel {

using Index = Eigen::Index;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Matrix<float, 1, Eigen::Dynamic, Eigen::RowMajor>;  // one row of channels

/// A window into a row-major matrix: rows are contiguous, the distance between rows is free.
using MatrixView = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;
using ConstMatrixView = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;
using ConstVectorView = Eigen::Ref<const Vector>;

using TokenId = std::int32_t;
using Tokens = std::vector<TokenId>;

}  // namespace evenkeel
