#include "quantizers/packing.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "quantizers/data_types/book_packing.h"
#include "quantizers/packed_parts.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;
using Bytes = std::vector<std::byte>;

template <class Code>
Bytes code_bytes(std::span<const Code> codes, const TensorScheme& scheme, const PackedPart& part) {
  const int offset = stored_offset(scheme, part);
  std::vector<std::uint8_t> numbers(codes.size());
  std::ranges::transform(codes, numbers.begin(),
                         [offset](Code code) { return static_cast<std::uint8_t>(code + offset); });
  if (part.words) return pack_words(numbers, *part.words);
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

Bytes shape_bytes(const QuantizedWeight& weight) {
  const std::array<std::int64_t, 2> shape{weight.rows, weight.columns};
  const auto bytes = std::as_bytes(std::span(shape));
  return {bytes.begin(), bytes.end()};
}

Bytes weight_bytes(const PackedPart& part, const QuantizedWeight& weight) {
  if (part.kind == Kind::shape) return shape_bytes(weight);
  if (is_signed_book(weight.scheme.codes)) return book_bytes(part, weight);
  if (part.kind == Kind::codes) return code_bytes<std::int16_t>(weight.codes, weight.scheme, part);
  if (part.kind == Kind::steps) return float_bytes(weight.steps);
  assert(part.kind == Kind::zero_points);
  return code_bytes<std::int32_t>(weight.zero_points, weight.scheme, part);
}

Bytes input_bytes(const PackedPart& part, const AffineParameters& parameters,
                  const TensorScheme& scheme) {
  if (part.kind == Kind::input_step) return float_bytes({&parameters.step, 1});
  assert(part.kind == Kind::input_zero_point);
  return code_bytes<std::int32_t>({&parameters.zero_point, 1}, scheme, part);
}

}  // namespace

std::vector<TensorPlan> packed_plan(const std::string& module, Index rows, Index columns,
                                    const Scheme& scheme) {
  if (const auto fault = packing_fault(scheme.weights, columns)) {
    throw UsageError(fmt::format("'{}.weight' cannot be stored: {}", module, *fault));
  }
  std::vector<TensorPlan> plan;
  for (const auto& part : weight_parts(module, rows, columns, scheme)) {
    plan.push_back(part.plan);
  }
  for (const auto& part : input_parts(module, scheme.activations)) plan.push_back(part.plan);
  return plan;
}

std::vector<PackedTensor> pack(const std::string& module, const QuantizedWeight& weight,
                               const Scheme& scheme, const ActivationQuantizer* input) {
  assert(weight.scheme == scheme.weights);
  std::vector<PackedTensor> tensors;
  for (const auto& part : weight_parts(module, weight.rows, weight.columns, scheme)) {
    tensors.push_back({part.plan.name, weight_bytes(part, weight)});
  }
  const auto parts = input_parts(module, scheme.activations);
  if (parts.empty()) return tensors;
  assert(input != nullptr && input->parameters().size() == 1);
  for (const auto& part : parts) {
    tensors.push_back(
        {part.plan.name, input_bytes(part, input->parameters().front(), scheme.activations)});
  }
  return tensors;
}

}  // namespace evenkeel
