#include "quantizers/integer_linear.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "quantizers/affine.h"
#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

bool one_step_a_row(const TensorScheme& scheme) {
  return scheme.codes == Codes::uniform && scheme.bits <= 8 && scheme.outlier_threshold == 0.0;
}

// What takes a weight's codes to signed bytes: -128 .. 127 when asymmetric.
int weight_offset(const TensorScheme& scheme) {
  return scheme.symmetric ? 0 : 1 << (scheme.bits - 1);
}

// The codes of one tensor after another.
class WeightCoder {
 public:
  WeightCoder(const ConstMatrixView& weight, const ConstVectorView& scale,
              const TensorScheme& scheme)
      : weight_(weight),
        scale_(scale),
        scheme_(scheme),
        range_(code_range(scheme.bits, scheme.symmetric)),
        scaled_(weight.cols()),
        codes_(static_cast<std::size_t>(weight.size())) {}

  std::vector<std::int8_t> take_codes() { return std::move(codes_); }

  // Calls row(step, zero_point, sum of codes) for each.
  template <class Row>
  void tensor(Index first, Index count, const Row& row) {
    const bool shared = scheme_.granularity == Granularity::per_tensor;
    AffineParameters parameters;
    if (shared) {
      // Dequantized like each row for itself, by the range of all.
      Matrix whole = weight_.middleRows(first, count);
      whole.array().rowwise() *= scale_.array();
      parameters = affine_parameters(range_by(scheme_, whole), scheme_.bits, scheme_.symmetric);
    }
    const auto width = static_cast<std::size_t>(weight_.cols());
    for (Index i = first; i < first + count; ++i) {
      const std::span<float> values(scaled_.data(), width);
      const Range extrema = scaled_range(row_of(weight_, i), {scale_.data(), width}, values);
      if (!shared) {
        const bool plain = scheme_.range == RangeEstimator::minmax;
        parameters = affine_parameters(plain ? extrema : range_by(scheme_, values), scheme_.bits,
                                       scheme_.symmetric);
      }
      const int offset = weight_offset(scheme_);
      const std::int32_t sum =
          byte_codes(values, parameters, range_, offset,
                     std::span(codes_).subspan(static_cast<std::size_t>(i) * width, width));
      row(parameters.step, parameters.zero_point - offset, sum);
    }
  }

 private:
  const ConstMatrixView& weight_;
  const ConstVectorView& scale_;
  const TensorScheme& scheme_;
  CodeRange range_;
  Vector scaled_;
  std::vector<std::int8_t> codes_;
};

}  // namespace

bool has_integer_weights(const TensorScheme& weights, Index depth) {
  const bool rows = weights.granularity == Granularity::per_tensor ||
                    weights.granularity == Granularity::per_channel;
  return rows && one_step_a_row(weights) && depth <= longest_integer_depth &&
         integer_product_is_exact();
}

bool has_integer_inputs(const TensorScheme& activations) {
  const bool rows = activations.granularity == Granularity::per_tensor ||
                    activations.granularity == Granularity::per_token;
  return rows && one_step_a_row(activations) && integer_product_is_exact();
}

bool has_integer_products(const TensorScheme& weights, const TensorScheme& activations,
                          Index depth) {
  return has_integer_weights(weights, depth) && has_integer_inputs(activations);
}

void ActivationCodes::start(const ConstMatrixView& values) {
  depth_ = values.cols();
  codes_.resize(static_cast<std::size_t>(values.size()));
  rows_.resize(static_cast<std::size_t>(values.rows()));
}

void ActivationCodes::assign_row(std::size_t row, std::span<const float> values,
                                 const ActivationQuantizer& quantizer) {
  const TensorScheme& scheme = quantizer.scheme();
  const CodeRange range = code_range(scheme.bits, scheme.symmetric);
  const AffineParameters parameters =
      is_dynamic(scheme)
          ? affine_parameters(range_by(scheme, values), scheme.bits, scheme.symmetric)
          : quantizer.parameters().front();
  const std::int32_t sum =
      byte_codes(values, parameters, range, range.low,
                 std::span(codes_).subspan(row * values.size(), values.size()));
  rows_[row] = {{parameters.step, parameters.zero_point - range.low}, sum};
}

void ActivationCodes::assign(const ConstMatrixView& values, const ConstVectorView& scale,
                             const ActivationQuantizer& quantizer) {
  start(values);
  Vector scaled(depth_);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::span<float> row(scaled.data(), static_cast<std::size_t>(depth_));
    quotients(row_of(values, static_cast<Index>(i)), {scale.data(), row.size()}, row);
    assign_row(i, row, quantizer);
  }
}

void ActivationCodes::assign(const ConstMatrixView& values, const ActivationQuantizer& quantizer) {
  start(values);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    assign_row(i, row_of(values, static_cast<Index>(i)), quantizer);
  }
}

void ActivationCodes::gather(const ActivationCodes& from, std::span<const Index> tokens) {
  depth_ = from.depth_;
  const auto width = static_cast<std::size_t>(depth_);
  codes_.resize(tokens.size() * width);
  rows_.resize(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto token = static_cast<std::size_t>(tokens[i]);
    std::copy_n(&from.codes_[token * width], width, &codes_[i * width]);
    rows_[i] = from.rows_[token];
  }
}

IntegerLinear::IntegerLinear(const ConstMatrixView& weight, const ConstVectorView& scale,
                             std::span<const Index> tensor_rows, const TensorScheme& scheme)
    : packed_([&] {
        WeightCoder coder(weight, scale, scheme);
        Index first = 0;
        for (const Index count : tensor_rows) {
          coder.tensor(first, count, [&](float step, std::int32_t zero_point, std::int32_t sum) {
            add_row(step, zero_point, sum, weight.cols());
          });
          first += count;
        }
        assert(first == weight.rows());
        return PackedCodes(coder.take_codes(), weight.rows(), weight.cols());
      }()) {}

IntegerLinear::IntegerLinear(const QuantizedWeight& weight, std::span<const Index> rows)
    : packed_([&] {
        const auto width = static_cast<std::size_t>(weight.columns);
        const bool shared = weight.scheme.granularity == Granularity::per_tensor;
        const Index count = rows.empty() ? weight.rows : static_cast<Index>(rows.size());
        const int offset = weight_offset(weight.scheme);
        std::vector<std::int8_t> bytes;
        bytes.reserve(static_cast<std::size_t>(count) * width);
        for (Index i = 0; i < count; ++i) {
          const auto row =
              static_cast<std::size_t>(rows.empty() ? i : rows[static_cast<std::size_t>(i)]);
          std::int32_t sum = 0;
          for (const std::int16_t code : std::span(weight.codes).subspan(row * width, width)) {
            const int byte = code - offset;
            sum += byte;
            bytes.push_back(static_cast<std::int8_t>(byte));
          }
          add_row(weight.steps[shared ? 0 : row], weight.zero_points[shared ? 0 : row] - offset,
                  sum, weight.columns);
        }
        return PackedCodes(bytes, count, weight.columns);
      }()) {}

void IntegerLinear::add_row(float step, std::int32_t zero_point, std::int32_t sum, Index depth) {
  steps_.push_back(step);
  zero_points_.push_back(zero_point);
  has_zero_points_ = has_zero_points_ || zero_point != 0;
  terms_.push_back(sum - static_cast<std::int32_t>(depth) * zero_point);
}

void IntegerLinear::multiply(const ActivationCodes& x, Index first, const ConstVectorView& bias,
                             Buffers& buffers, MatrixView out) const {
  assert(out.cols() == rows() && x.depth() == packed_.depth());
  const auto columns = static_cast<std::size_t>(rows());
  buffers.factors.resize(columns);
  buffers.offsets.resize(columns);
  std::optional<InputTerms> known;  // what the factors and offsets are of
  // In pieces, whose sums are still at hand when they become values.
  constexpr Index most = 128;
  for (Index done = 0; done < out.rows(); done += most) {
    const Index count = std::min(most, out.rows() - done);
    buffers.sums.resize(static_cast<std::size_t>(count) * columns);
    packed_.multiply(x.codes(first + done, count), count, buffers.sums);
    for (Index i = 0; i < count; ++i) {
      const ActivationCodes::Row& row = x.row(first + done + i);
      if (!known || known->step != row.input.step || known->zero_point != row.input.zero_point) {
        known = row.input;
        output_terms(*known, {steps_, terms_}, buffers.factors, buffers.offsets);
      }
      CodeSums sums{std::span(buffers.sums).subspan(static_cast<std::size_t>(i) * columns, columns),
                    row.sum, buffers.factors, buffers.offsets};
      if (has_zero_points_) sums.zeros = zero_points_;
      if (bias.size() != 0) sums.bias = {bias.data(), columns};
      values_of_sums(sums, row_of(out, done + i));
    }
  }
}

}  // namespace evenkeel
