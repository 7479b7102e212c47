#include "quantizers/activation_quantizer.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace evenkeel {

ActivationQuantizer::ActivationQuantizer(const TensorScheme& scheme) : scheme_(scheme) {
  assert(is_dynamic(scheme));
}

ActivationQuantizer::ActivationQuantizer(const TensorScheme& scheme, std::vector<Range> ranges)
    : scheme_(scheme), ranges_(std::move(ranges)) {
  assert(!is_dynamic(scheme) && !ranges_.empty());
  assert(scheme.granularity != Granularity::per_tensor || ranges_.size() == 1);
  parameters_.reserve(ranges_.size());
  for (const Range& range : ranges_) {
    parameters_.push_back(affine_parameters(range, scheme.bits, scheme.symmetric));
  }
  if (scheme.granularity != Granularity::per_channel) return;
  for (const AffineParameters& parameters : parameters_) {
    steps_.push_back(parameters.step);
    zero_points_.push_back(parameters.zero_point);
  }
}

void ActivationQuantizer::apply(MatrixView values) const {
  if (values.size() == 0 || !is_quantized(scheme_)) return;
  const CodeRange range = code_range(scheme_.bits, scheme_.symmetric);
  switch (scheme_.granularity) {
    case Granularity::per_tensor:
      for (Index row = 0; row < values.rows(); ++row) {
        fake_quantize(row_of(values, row), parameters_.front(), range);
      }
      return;
    case Granularity::per_channel:
      assert(static_cast<std::size_t>(values.cols()) == steps_.size());
      for (Index row = 0; row < values.rows(); ++row) {
        fake_quantize_each(row_of(values, row), steps_, zero_points_, range);
      }
      return;
    case Granularity::per_token:
    case Granularity::per_group:
      apply_dynamic(values, range);
      return;
  }
}

void ActivationQuantizer::apply_dynamic(MatrixView& values, CodeRange range) const {
  const auto columns = static_cast<std::size_t>(values.cols());
  const std::size_t width = scheme_.granularity == Granularity::per_group
                                ? std::min(static_cast<std::size_t>(scheme_.group_size), columns)
                                : columns;
  for (Index row = 0; row < values.rows(); ++row) {
    for (std::size_t first = 0; first < columns; first += width) {
      const std::span<float> piece =
          row_of(values, row).subspan(first, std::min(width, columns - first));
      fake_quantize(piece, affine_parameters(range_of(piece), scheme_.bits, scheme_.symmetric),
                    range);
    }
  }
}

}  // namespace evenkeel
