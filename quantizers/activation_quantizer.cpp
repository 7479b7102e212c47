#include "quantizers/activation_quantizer.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "quantizers/range_method.h"
#include "quantizers/range_quantizer.h"

namespace evenkeel {

ActivationQuantizer::ActivationQuantizer(const TensorScheme& scheme) : scheme_(scheme) {
  assert(is_dynamic(scheme));
  if (is_quantized(scheme)) fractions_ = fractions_of(scheme);
}

ActivationQuantizer::ActivationQuantizer(const TensorScheme& scheme, std::vector<Range> ranges)
    : scheme_(scheme), ranges_(std::move(ranges)) {
  assert(!is_dynamic(scheme) && !ranges_.empty());
  assert(scheme.granularity != Granularity::per_tensor || ranges_.size() == 1);
  if (scheme.codes != Codes::uniform) {
    assert(!has_channel_ranges(scheme.granularity));
    fractions_ = codebook_fractions(scheme);
    for (const Range& range : ranges_) codebooks_.emplace_back(fractions_, range.high);
    return;
  }
  parameters_.reserve(ranges_.size());
  for (const Range& range : ranges_) {
    parameters_.push_back(affine_parameters(range, scheme.bits, scheme.symmetric));
  }
  if (!has_channel_ranges(scheme.granularity)) return;
  for (const AffineParameters& parameters : parameters_) {
    steps_.push_back(parameters.step);
    zero_points_.push_back(parameters.zero_point);
  }
}

void ActivationQuantizer::apply(MatrixView values, Index head) const {
  if (values.size() == 0 || !is_quantized(scheme_)) return;
  switch (scheme_.granularity) {
    case Granularity::per_tensor:
      return apply_static(values, 0);
    case Granularity::per_head:
      return apply_static(values, static_cast<std::size_t>(head));
    case Granularity::per_channel:
    case Granularity::per_embedding_group:
      return apply_each_channel(values);
    case Granularity::per_token:
    case Granularity::per_group:
      return apply_dynamic(values);
    case Granularity::per_block:  // of weights alone (faults_of)
      return;
  }
}

void ActivationQuantizer::apply_static(MatrixView& values, std::size_t range) const {
  assert(range < ranges_.size());
  for (Index row = 0; row < values.rows(); ++row) {
    if (codebooks_.empty()) {
      fake_quantize(row_of(values, row), parameters_[range],
                    code_range(scheme_.bits, scheme_.symmetric));
    } else {
      codebooks_[range].fake_quantize(row_of(values, row));
    }
  }
}

void ActivationQuantizer::apply_each_channel(MatrixView& values) const {
  assert(static_cast<std::size_t>(values.cols()) == steps_.size());
  const CodeRange range = code_range(scheme_.bits, scheme_.symmetric);
  for (Index row = 0; row < values.rows(); ++row) {
    fake_quantize_each(row_of(values, row), steps_, zero_points_, range);
  }
}

void ActivationQuantizer::apply_dynamic(MatrixView& values) const {
  if (scheme_.outlier_threshold > 0.0 && scheme_.granularity == Granularity::per_token) {
    return apply_without_outliers(values);
  }
  const auto columns = static_cast<std::size_t>(values.cols());
  const std::size_t width = scheme_.granularity == Granularity::per_group
                                ? std::min(static_cast<std::size_t>(scheme_.group_size), columns)
                                : columns;
  for (Index row = 0; row < values.rows(); ++row) {
    for (std::size_t first = 0; first < columns; first += width) {
      quantize_by_own_range(row_of(values, row).subspan(first, std::min(width, columns - first)));
    }
  }
}

void ActivationQuantizer::apply_without_outliers(MatrixView& values) const {
  std::vector<Index> kept;
  for (Index column = 0; column < values.cols(); ++column) {
    const bool outlier =
        (values.col(column).array().abs().cast<double>() > scheme_.outlier_threshold).any();
    if (!outlier) kept.push_back(column);
  }
  if (kept.empty()) return;
  std::vector<float> others(kept.size());
  for (Index row = 0; row < values.rows(); ++row) {
    for (std::size_t i = 0; i < kept.size(); ++i) others[i] = values(row, kept[i]);
    quantize_by_own_range(others);
    for (std::size_t i = 0; i < kept.size(); ++i) values(row, kept[i]) = others[i];
  }
}

void ActivationQuantizer::quantize_by_own_range(std::span<float> values) const {
  RangeQuantizer(scheme_, fractions_, range_by(scheme_, std::span<const float>(values)))
      .apply(values);
}

}  // namespace evenkeel
