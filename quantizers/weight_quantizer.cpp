#include "quantizers/weight_quantizer.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quantizers/affine.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

Index groups_of(const TensorScheme& scheme, Index columns) {
  if (columns == 0) return 1;
  const Index width = group_width(scheme, columns);
  return (columns + width - 1) / width;
}

// Calls visit(first, piece, parameters) for each run of a row whose values share one step, in
// order; `first` is the position of its first value in the row-major weight. Values are read
// just before the visit, so that one that writes them finds them in cache.
template <class Visit>
void for_each_piece(const ConstMatrixView& weight, const TensorScheme& scheme, Visit&& visit) {
  const bool shared = scheme.granularity == Granularity::per_tensor;
  AffineParameters parameters;
  if (shared) {
    parameters = affine_parameters(range_by(scheme, weight), scheme.bits, scheme.symmetric);
  }
  const Index width = group_width(scheme, weight.cols());
  for (Index row = 0; row < weight.rows(); ++row) {
    const std::span<const float> values = row_of(weight, row);
    for (Index column = 0; column < weight.cols(); column += width) {
      const auto piece =
          values.subspan(static_cast<std::size_t>(column),
                         static_cast<std::size_t>(std::min(width, weight.cols() - column)));
      if (!shared) {
        parameters = affine_parameters(range_by(scheme, piece), scheme.bits, scheme.symmetric);
      }
      visit(row, column, piece, parameters);
    }
  }
}

}  // namespace

Index group_width(const TensorScheme& scheme, Index columns) {
  return scheme.granularity == Granularity::per_group ? std::min<Index>(scheme.group_size, columns)
                                                      : columns;
}

Index QuantizedWeight::groups() const { return groups_of(scheme, columns); }

QuantizedWeight quantize_weight(const ConstMatrixView& weight, const TensorScheme& scheme,
                                std::span<const Index> kept) {
  assert(weight.size() > 0 && scheme.granularity != Granularity::per_token);
  if (is_signed_book(scheme.codes)) return quantize_by_book(weight, scheme, kept);
  assert(kept.empty());
  QuantizedWeight result;
  result.scheme = scheme;
  result.rows = weight.rows();
  result.columns = weight.cols();
  result.codes.resize(static_cast<std::size_t>(weight.size()));
  const CodeRange range = code_range(scheme.bits, scheme.symmetric);
  const bool shared = scheme.granularity == Granularity::per_tensor;
  for_each_piece(
      weight, scheme,
      [&](Index row, Index column, std::span<const float> piece, AffineParameters parameters) {
        if (!shared || result.steps.empty()) {
          result.steps.push_back(parameters.step);
          result.zero_points.push_back(parameters.zero_point);
        }
        const auto first = static_cast<std::size_t>(row * weight.cols() + column);
        quantize(piece, parameters, range, std::span(result.codes).subspan(first, piece.size()));
      });
  return result;
}

Matrix dequantize_weight(const QuantizedWeight& weight) {
  Matrix result(weight.rows, weight.columns);
  if (result.size() == 0) return result;
  if (is_signed_book(weight.scheme.codes)) return dequantize_by_book(weight);
  const bool shared = weight.scheme.granularity == Granularity::per_tensor;
  const auto width = static_cast<std::size_t>(group_width(weight.scheme, weight.columns));
  const auto columns = static_cast<std::size_t>(weight.columns);
  const std::span<float> values(result.data(), weight.codes.size());
  std::size_t step = 0;
  for (std::size_t row = 0; row < values.size(); row += columns) {
    for (std::size_t column = 0; column < columns; column += width) {
      const std::size_t count = std::min(width, columns - column);
      const AffineParameters parameters{weight.steps[step], weight.zero_points[step]};
      dequantize(std::span(weight.codes).subspan(row + column, count), parameters,
                 values.subspan(row + column, count));
      if (!shared) ++step;
    }
  }
  return result;
}

void fake_quantize_weight(MatrixView weight, const TensorScheme& scheme) {
  assert(scheme.granularity != Granularity::per_token);
  if (weight.size() == 0 || !is_quantized(scheme)) return;
  if (is_signed_book(scheme.codes)) {
    TensorScheme all = scheme;
    all.proxy_percent = 0.0;
    weight = dequantize_by_book(quantize_by_book(weight, all, {}));
    return;
  }
  const CodeRange range = code_range(scheme.bits, scheme.symmetric);
  for_each_piece(
      weight, scheme,
      [&](Index row, Index column, std::span<const float> piece, AffineParameters parameters) {
        fake_quantize(row_of(weight, row).subspan(static_cast<std::size_t>(column), piece.size()),
                      parameters, range);
      });
}

}  // namespace evenkeel
