#include "quantizers/packed_parts.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;

PackedPart part(Kind kind, const std::string& module, std::string_view suffix, DType dtype,
                std::vector<std::int64_t> shape) {
  return {kind, {fmt::format("{}.{}", module, suffix), dtype, std::move(shape)}};
}

Index largest_divisor(Index columns, Index limit) {
  Index divisor = std::min(columns, limit);
  while (columns % divisor != 0) --divisor;
  return divisor;
}

std::vector<std::int64_t> shape_of_steps(const TensorScheme& weights, Index rows, Index columns) {
  switch (weights.granularity) {
    case Granularity::per_channel:
      return {rows, 1};
    case Granularity::per_group:
      return {rows, columns / weights.group_size};
    default:
      return {1};
  }
}

}  // namespace

std::optional<std::string> packing_fault(const TensorScheme& weights,
                                         std::optional<Index> columns) {
  if (weights.granularity == Granularity::per_token) {
    return "weights per token cannot be stored; use per_channel, per_group or per_tensor";
  }
  if (weights.granularity == Granularity::per_group && columns.has_value() &&
      *columns % weights.group_size != 0) {
    return fmt::format(
        "group_size {} does not divide its {} input channels, and the compressed-tensors layout "
        "has no short groups; use a divisor such as {}",
        weights.group_size, *columns, largest_divisor(*columns, weights.group_size));
  }
  return std::nullopt;
}

std::optional<std::string> activations_fault(const TensorScheme& activations) {
  if (activations.codes != Codes::uniform) {
    return fmt::format(
        "the compressed-tensors layout cannot say {} codes: other readers see quantized weights "
        "only",
        name_of(activations.codes));
  }
  if (has_channel_ranges(activations.granularity)) {
    return fmt::format(
        "the compressed-tensors layout cannot say activations {}: other readers see "
        "quantized weights only",
        name_of(activations.granularity));
  }
  if (is_dynamic(activations) && activations.range != RangeEstimator::minmax) {
    return fmt::format(
        "the compressed-tensors layout cannot say dynamic activations of range {}: other readers "
        "see quantized weights only",
        name_of(activations.range));
  }
  if (activations.outlier_threshold > 0.0) {
    return "the compressed-tensors layout cannot say outlier_threshold: other readers see "
           "quantized "
           "weights only";
  }
  return std::nullopt;
}

bool input_is_stored(const TensorScheme& activations) {
  return !is_dynamic(activations) && activations.granularity == Granularity::per_tensor &&
         activations.codes == Codes::uniform;
}

std::vector<PackedPart> weight_parts(const std::string& module, Index rows, Index columns,
                                     const TensorScheme& weights) {
  assert(!packing_fault(weights, columns).has_value());
  std::vector<PackedPart> parts;
  const auto steps = shape_of_steps(weights, rows, columns);
  parts.push_back(part(Kind::codes, module, "weight", DType::I8, {rows, columns}));
  parts.push_back(part(Kind::steps, module, "weight_scale", DType::F32, steps));
  if (!weights.symmetric) {
    parts.push_back(part(Kind::zero_points, module, "weight_zero_point", DType::I8, steps));
  }
  return parts;
}

std::vector<PackedPart> input_parts(const std::string& module, const TensorScheme& activations) {
  std::vector<PackedPart> parts;
  if (!input_is_stored(activations)) return parts;
  parts.push_back(part(Kind::input_step, module, "input_scale", DType::F32, {1}));
  if (!activations.symmetric) {
    parts.push_back(part(Kind::input_zero_point, module, "input_zero_point", DType::I8, {1}));
  }
  return parts;
}

int byte_offset(const TensorScheme& scheme) {
  return scheme.symmetric ? 0 : 1 << (scheme.bits - 1);
}

}  // namespace evenkeel
