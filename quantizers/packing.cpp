#include "quantizers/packing.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/packed_parts.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;
using Bytes = std::vector<std::byte>;

template <class Code>
Bytes code_bytes(std::span<const Code> codes, const TensorScheme& scheme) {
  const int offset = byte_offset(scheme);
  Bytes bytes(codes.size());
  std::ranges::transform(codes, bytes.begin(), [offset](Code code) {
    return static_cast<std::byte>(static_cast<std::int8_t>(code - offset));
  });
  return bytes;
}

Bytes float_bytes(std::span<const float> values) {
  Bytes bytes(values.size() * sizeof(float));
  encode_floats(DType::F32, values, bytes);
  return bytes;
}

Bytes weight_bytes(Kind kind, const QuantizedWeight& weight) {
  if (kind == Kind::codes) return code_bytes<std::int16_t>(weight.codes, weight.scheme);
  if (kind == Kind::steps) return float_bytes(weight.steps);
  assert(kind == Kind::zero_points);
  return code_bytes<std::int32_t>(weight.zero_points, weight.scheme);
}

Bytes input_bytes(Kind kind, const AffineParameters& parameters, const TensorScheme& scheme) {
  if (kind == Kind::input_step) return float_bytes({&parameters.step, 1});
  assert(kind == Kind::input_zero_point);
  return code_bytes<std::int32_t>({&parameters.zero_point, 1}, scheme);
}

}  // namespace

std::vector<TensorPlan> packed_plan(const std::string& module, Index rows, Index columns,
                                    const Scheme& scheme) {
  if (const auto fault = packing_fault(scheme.weights, columns)) {
    throw UsageError(fmt::format("'{}.weight' cannot be stored: {}", module, *fault));
  }
  std::vector<TensorPlan> plan;
  for (const auto& part : weight_parts(module, rows, columns, scheme.weights)) {
    plan.push_back(part.plan);
  }
  for (const auto& part : input_parts(module, scheme.activations)) plan.push_back(part.plan);
  return plan;
}

std::vector<PackedTensor> pack(const std::string& module, const QuantizedWeight& weight,
                               const Scheme& scheme, const ActivationQuantizer* input) {
  assert(weight.scheme == scheme.weights);
  std::vector<PackedTensor> tensors;
  for (const auto& part : weight_parts(module, weight.rows, weight.columns, scheme.weights)) {
    tensors.push_back({part.plan.name, weight_bytes(part.kind, weight)});
  }
  const auto parts = input_parts(module, scheme.activations);
  if (parts.empty()) return tensors;
  assert(input != nullptr && input->parameters().size() == 1);
  for (const auto& part : parts) {
    tensors.push_back(
        {part.plan.name, input_bytes(part.kind, input->parameters().front(), scheme.activations)});
  }
  return tensors;
}

}  // namespace evenkeel
