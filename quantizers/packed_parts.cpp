#include "quantizers/packed_parts.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/data_types/book_packing.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;

PackedPart words(Kind kind, const std::string& module, std::string_view suffix,
                 const CodeWords& layout) {
  PackedPart result = packed_part(kind, module, suffix, DType::I32, layout.shape());
  result.words = layout;
  return result;
}

std::vector<PackedPart> code_parts(const std::string& module, Index rows, Index columns,
                                   const Scheme& scheme) {
  if (format_of(scheme) == PackedFormat::int_quantized) {
    return {packed_part(Kind::codes, module, "weight", DType::I8, {rows, columns})};
  }
  return {words(Kind::codes, module, "weight_packed",
                {rows, columns, scheme.weights.bits, Lanes::rows}),
          packed_part(Kind::shape, module, "weight_shape", DType::I64, {2})};
}

PackedPart zero_point_part(const std::string& module, const std::vector<std::int64_t>& steps,
                           const Scheme& scheme) {
  constexpr std::string_view suffix = "weight_zero_point";
  if (format_of(scheme) == PackedFormat::int_quantized) {
    return packed_part(Kind::zero_points, module, suffix, DType::I8, steps);
  }
  return words(Kind::zero_points, module, suffix,
               {steps.at(0), steps.at(1), scheme.weights.bits, Lanes::columns});
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
  if (is_signed_book(weights.codes)) return std::nullopt;
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
    return fmt::format("the compressed-tensors layout cannot say {} codes",
                       name_of(activations.codes));
  }
  if (has_channel_ranges(activations.granularity)) {
    return fmt::format("the compressed-tensors layout cannot say activations {}",
                       name_of(activations.granularity));
  }
  if (is_dynamic(activations) && activations.range != RangeEstimator::minmax) {
    return fmt::format("the compressed-tensors layout cannot say dynamic activations of range {}",
                       name_of(activations.range));
  }
  if (activations.outlier_threshold > 0.0) {
    return "the compressed-tensors layout cannot say outlier_threshold";
  }
  return std::nullopt;
}

PackedFormat format_of(const Scheme& scheme) {
  const TensorScheme& weights = scheme.weights;
  if (is_signed_book(weights.codes)) return PackedFormat::code_book;
  const bool by_row = weights.granularity == Granularity::per_channel ||
                      weights.granularity == Granularity::per_group;
  const bool fits = weights.bits == 4 || weights.bits == 8;
  return by_row && fits && !input_is_said(scheme.activations) ? PackedFormat::pack_quantized
                                                              : PackedFormat::int_quantized;
}

std::string_view name_of(PackedFormat format) {
  if (format == PackedFormat::code_book) return "code-book";
  return format == PackedFormat::pack_quantized ? "pack-quantized" : "int-quantized";
}

bool input_is_said(const TensorScheme& activations) {
  return is_quantized(activations) && !activations_fault(activations).has_value();
}

bool input_is_stored(const TensorScheme& activations) {
  return !is_dynamic(activations) && activations.granularity == Granularity::per_tensor &&
         activations.codes == Codes::uniform;
}

PackedPart packed_part(PackedPart::Kind kind, const std::string& module, std::string_view suffix,
                       DType dtype, std::vector<std::int64_t> shape) {
  return {kind, {fmt::format("{}.{}", module, suffix), dtype, std::move(shape)}, std::nullopt};
}

std::vector<std::byte> float_bytes(std::span<const float> values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  encode_floats(dtype, values, bytes);
  return bytes;
}

std::vector<float> stored_floats(const StoredTensor& tensor, std::string_view what,
                                 std::string_view expected, bool (*is_right)(float)) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  decode_floats(tensor.dtype, tensor.bytes, values);
  const auto wrong = std::ranges::find_if_not(values, is_right);
  if (wrong != values.end()) {
    throw InputError(fmt::format("tensor '{}' (file offset {}): {} {} is {}, expected {}; {}",
                                 tensor.name, tensor.file_offset, what, wrong - values.begin(),
                                 *wrong, expected, damaged_advice));
  }
  return values;
}

std::vector<PackedPart> weight_parts(const std::string& module, Index rows, Index columns,
                                     const Scheme& scheme) {
  assert(!packing_fault(scheme.weights, columns).has_value());
  if (is_signed_book(scheme.weights.codes)) {
    return book_parts(module, rows, columns, scheme.weights);
  }
  std::vector<PackedPart> parts = code_parts(module, rows, columns, scheme);
  const auto steps = shape_of_steps(scheme.weights, rows, columns);
  parts.push_back(packed_part(Kind::steps, module, "weight_scale", DType::F32, steps));
  if (!scheme.weights.symmetric) parts.push_back(zero_point_part(module, steps, scheme));
  return parts;
}

std::vector<PackedPart> input_parts(const std::string& module, const TensorScheme& activations) {
  std::vector<PackedPart> parts;
  if (!input_is_stored(activations)) return parts;
  parts.push_back(packed_part(Kind::input_step, module, "input_scale", DType::F32, {1}));
  if (!activations.symmetric) {
    parts.push_back(
        packed_part(Kind::input_zero_point, module, "input_zero_point", DType::I8, {1}));
  }
  return parts;
}

int stored_offset(const TensorScheme& scheme, const PackedPart& part) {
  const int half = 1 << (scheme.bits - 1);
  return (scheme.symmetric ? 0 : -half) + (part.words ? half : 0);
}

}  // namespace evenkeel
