#include "quantizers/gptq.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <numeric>
#include <utility>

#include <Eigen/Cholesky>

#include "io/errors.h"
#include "quantizers/affine.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/data_types/code_book.h"

namespace evenkeel {
namespace {

// Columns whose errors reach the rest of the matrix in one product. Only speed depends on it.
constexpr Index block_columns = 128;

std::vector<Index> order_of(const DoubleMatrix& hessian, bool by_activation) {
  std::vector<Index> order(static_cast<std::size_t>(hessian.cols()));
  std::iota(order.begin(), order.end(), Index{0});
  if (by_activation) {
    std::ranges::stable_sort(order,
                             [&](Index a, Index b) { return hessian(a, a) > hessian(b, b); });
  }
  return order;
}

// Rounds the columns of one weight.
class ColumnRounder {
 public:
  ColumnRounder(const ConstMatrixView& weight, const GptqFactor& factor, const TensorScheme& scheme)
      : order_(factor.order()),
        upper_(factor.upper()),
        scheme_(scheme),
        codes_(code_range(scheme.bits, scheme.symmetric)),
        by_book_(is_signed_book(scheme.codes)),
        grouped_(scheme.granularity == Granularity::per_group),
        width_(group_width(scheme, weight.cols())),
        moving_(weight(Eigen::all, order_).cast<double>()),
        result_(quantize_weight(weight, scheme)) {}

  QuantizedWeight round() {
    const Index columns = moving_.cols();
    for (Index first = 0; first < columns;) {
      const Index last = block_end(first);
      errors_.resize(moving_.rows(), last - first);
      for (Index row = 0; row < moving_.rows(); ++row) round_row(row, first, last);
      moving_.rightCols(columns - last).noalias() -=
          errors_ * upper_.block(first, last, last - first, columns - last);
      first = last;
    }
    return std::move(result_);
  }

 private:
  bool finds_steps_anew() const { return grouped_ && !scheme_.gptq.static_groups; }

  // A group whose steps are found on the way must be up to date as a whole when it is reached: it
  // lies in one block, or starts one.
  Index block_end(Index first) const {
    const Index last = std::min(first + block_columns, moving_.cols());
    if (!finds_steps_anew() || last == moving_.cols()) return last;
    const Index boundary = last / width_ * width_;
    return boundary > first ? boundary : last;
  }

  void round_row(Index row, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const Index column = order_[static_cast<std::size_t>(i)];
      const std::size_t step = step_of(row, column);
      if (finds_steps_anew() && column % width_ == 0) find_step(row, column, step);
      std::int16_t& code = result_.codes[static_cast<std::size_t>(row * moving_.cols() + column)];
      const float rounded = round_one(static_cast<float>(moving_(row, i)), step, code);
      const double error = (moving_(row, i) - static_cast<double>(rounded)) / upper_(i, i);
      errors_(row, i - first) = error;
      const Index rest = last - i - 1;
      moving_.row(row).segment(i + 1, rest) -= error * upper_.row(i).segment(i + 1, rest);
    }
  }

  // What the code nearest to the value means.
  float round_one(float value, std::size_t step, std::int16_t& code) const {
    if (by_book_) {
      code = reference::nearest_code(result_.book.values, result_.steps[step], value);
      return result_.steps[step] * result_.book.values[static_cast<std::size_t>(code)];
    }
    const AffineParameters parameters{result_.steps[step], result_.zero_points[step]};
    code = reference::quantize(value, parameters, codes_);
    return reference::dequantize(code, parameters);
  }

  std::size_t step_of(Index row, Index column) const {
    if (scheme_.granularity == Granularity::per_tensor) return 0;
    if (scheme_.granularity == Granularity::per_block) {
      return static_cast<std::size_t>((row * moving_.cols() + column) / scheme_.block_size);
    }
    return static_cast<std::size_t>(row * result_.groups() + column / width_);
  }

  void find_step(Index row, Index column, std::size_t step) {
    const Index count = std::min(width_, moving_.cols() - column);
    const Matrix group = moving_.row(row).segment(column, count).cast<float>();
    if (by_book_) {
      result_.steps[step] = book_constant(row_of(group, 0));
      return;
    }
    const QuantizedWeight found = quantize_weight(group, scheme_);
    result_.steps[step] = found.steps.front();
    result_.zero_points[step] = found.zero_points.front();
  }

  const std::vector<Index>& order_;
  const DoubleMatrix& upper_;
  const TensorScheme& scheme_;
  CodeRange codes_;
  bool by_book_;
  bool grouped_;
  Index width_;          // columns that share a step
  DoubleMatrix moving_;  // the weight as earlier errors left it, in the order of rounding
  DoubleMatrix errors_;  // of a block's columns
  QuantizedWeight result_;
};

}  // namespace

void InputHessian::observe(const ConstMatrixView& inputs) {
  add_gram(inputs, sums_);
  tokens_ += inputs.rows();
}

void InputHessian::merge(const InputHessian& other) {
  assert(sums_.rows() == other.sums_.rows());
  sums_ += other.sums_;
  tokens_ += other.tokens_;
}

DoubleMatrix InputHessian::finish() const {
  assert(tokens_ > 0);
  DoubleMatrix hessian = sums_.selfadjointView<Eigen::Lower>();
  hessian *= 2.0 / static_cast<double>(tokens_);
  return hessian;
}

GptqFactor::GptqFactor(const DoubleMatrix& hessian, const GptqOptions& options)
    : order_(order_of(hessian, options.activation_order)) {
  if (!hessian.allFinite()) {
    throw InputError("the inputs of GPTQ are not finite; check the checkpoint's weights");
  }
  const auto living = (hessian.diagonal().array() > 0.0).count();
  const double mean = living > 0 ? hessian.trace() / static_cast<double>(living) : 0.0;
  // H = R R^T with R upper is the Cholesky factorization with rows and columns reversed, and U is
  // the inverse of R: one factorization, where inverting H first would need two.
  DoubleMatrix reversed = hessian(order_, order_).reverse();
  for (Index i = 0; i < reversed.rows(); ++i) {
    reversed(i, i) = reversed(i, i) > 0.0 ? reversed(i, i) + options.damping * mean : 1.0;
  }
  const Eigen::LLT<Eigen::Ref<DoubleMatrix>> cholesky(reversed);
  if (cholesky.info() != Eigen::Success) {
    throw InputError("the Hessian of GPTQ is not positive; raise scheme.weights.gptq.damping");
  }
  DoubleMatrix inverse = DoubleMatrix::Identity(reversed.rows(), reversed.cols());
  cholesky.matrixL().solveInPlace(inverse);
  upper_ = inverse.reverse();
}

QuantizedWeight gptq(const ConstMatrixView& weight, const GptqFactor& factor,
                     const TensorScheme& scheme) {
  assert(weight.size() > 0 && weight.cols() == factor.upper().cols());
  return ColumnRounder(weight, factor, scheme).round();
}

}  // namespace evenkeel
