#include "quantizers/clip_search.h"

#include <algorithm>
#include <cassert>

#include <Eigen/Core>

#include "io/errors.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {
namespace {

constexpr int grid = 20;
constexpr int candidates = 10;  // the limit shrinks by less than a half

// Calls visit(group, first column, columns) for each group of a row.
template <class Visit>
void for_each_group(Index columns, const TensorScheme& scheme, Visit&& visit) {
  const Index width = group_width(scheme, columns);
  for (Index first = 0, group = 0; first < columns; first += width, ++group) {
    visit(group, first, std::min(width, columns - first));
  }
}

}  // namespace

ClipSearch::ClipSearch(Index columns, const TensorScheme& weights)
    : scheme_(weights), columns_(columns) {
  assert(columns > 0 && weights.granularity != Granularity::per_tensor);
  for_each_group(columns, scheme_,
                 [&](Index, Index, Index width) { hessians_.emplace_back(width); });
}

void ClipSearch::observe(const ConstMatrixView& inputs) {
  assert(inputs.cols() == columns_);
  for_each_group(columns_, scheme_, [&](Index group, Index first, Index width) {
    hessians_[static_cast<std::size_t>(group)].observe(inputs.middleCols(first, width));
  });
}

Matrix ClipSearch::limits(const ConstMatrixView& weight) const {
  assert(weight.cols() == columns_ && weight.size() > 0);
  Matrix limits(weight.rows(), static_cast<Index>(hessians_.size()));
  for_each_group(columns_, scheme_, [&](Index group, Index first, Index width) {
    const auto own = weight.middleCols(first, width);
    const DoubleMatrix hessian = hessians_[static_cast<std::size_t>(group)].finish();
    if (!hessian.allFinite()) {
      throw InputError(
          "the inputs of the clip search are not finite; check the checkpoint's "
          "weights");
    }
    const Vector largest = own.cwiseAbs().rowwise().maxCoeff().transpose();
    Eigen::VectorXd least;
    for (int i = 0; i < candidates; ++i) {
      const Matrix limit = largest.transpose() * static_cast<float>(1.0 - i * 1.0 / grid);
      Matrix rounded = own;
      clip_weight(rounded, limit, scheme_);
      fake_quantize_weight(rounded, scheme_);
      const DoubleMatrix moved = (rounded - own).cast<double>();
      const Eigen::VectorXd errors = (moved * hessian).cwiseProduct(moved).rowwise().sum();
      if (i == 0) {
        least = errors;
        limits.col(group) = limit;
        continue;
      }
      for (Index row = 0; row < own.rows(); ++row) {
        if (!(errors(row) < least(row))) continue;
        least(row) = errors(row);
        limits(row, group) = limit(row);
      }
    }
  });
  return limits;
}

void clip_weight(MatrixView weight, const ConstMatrixView& limits, const TensorScheme& scheme) {
  for_each_group(weight.cols(), scheme, [&](Index group, Index first, Index width) {
    auto own = weight.middleCols(first, width);
    for (Index row = 0; row < weight.rows(); ++row) {
      const float limit = limits(row, group);
      own.row(row) = own.row(row).cwiseMax(-limit).cwiseMin(limit);
    }
  });
}

}  // namespace evenkeel
