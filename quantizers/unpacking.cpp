// The reading half of packing.h. Every byte comes from outside.
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "quantizers/affine.h"
#include "quantizers/data_types/book_packing.h"
#include "quantizers/packed_parts.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;

const StoredTensor& checked_tensor(const PackedSource& source, const TensorPlan& plan) {
  const StoredTensor& tensor = source.at(plan.name);
  if (tensor.dtype != plan.dtype || tensor.shape != plan.shape) {
    throw InputError(fmt::format("tensor '{}': expected {} {}, got {} {}; {}", plan.name,
                                 name_of(plan.dtype), shape_text(plan.shape), name_of(tensor.dtype),
                                 tensor.shape_text(), damaged_advice));
  }
  return tensor;
}

// Signed bytes, or the unsigned numbers of words.
std::vector<std::int16_t> numbers_of(const StoredTensor& tensor, const PackedPart& part) {
  std::vector<std::int16_t> numbers;
  if (!part.words) {
    numbers.reserve(tensor.bytes.size());
    for (const std::byte byte : tensor.bytes) {
      numbers.push_back(std::to_integer<std::int8_t>(byte));
    }
    return numbers;
  }
  const auto unpacked = unpack_words(tensor.bytes, *part.words);
  if (!unpacked) {
    throw InputError(fmt::format(
        "tensor '{}' (file offset {}): bits that belong to no code are set, expected 0; {}",
        tensor.name, tensor.file_offset, damaged_advice));
  }
  numbers.assign(unpacked->begin(), unpacked->end());
  return numbers;
}

void check_shape(const StoredTensor& tensor, Index rows, Index columns) {
  std::array<std::int64_t, 2> shape{};
  assert(tensor.bytes.size() == sizeof(shape));
  std::memcpy(shape.data(), tensor.bytes.data(), sizeof(shape));
  if (shape != std::array<std::int64_t, 2>{rows, columns}) {
    throw InputError(fmt::format(
        "tensor '{}' (file offset {}): expected [{}, {}], got [{}, {}]; {}", tensor.name,
        tensor.file_offset, rows, columns, shape[0], shape[1], damaged_advice));
  }
}

// `what` they are is "code" or "zero point": both lie in the scheme's range of codes.
template <class Code>
std::vector<Code> codes_of(const StoredTensor& tensor, const TensorScheme& scheme,
                           const PackedPart& part, std::string_view what) {
  const CodeRange range = code_range(scheme.bits, scheme.symmetric);
  const int offset = stored_offset(scheme, part);
  const std::vector<std::int16_t> numbers = numbers_of(tensor, part);
  std::vector<Code> codes;
  codes.reserve(numbers.size());
  for (const int number : numbers) {
    const int code = number - offset;
    if (code < range.low || code > range.high) {
      throw InputError(fmt::format(
          "tensor '{}' (file offset {}): {} {} is {}, outside {} .. {} of the scheme; {}",
          tensor.name, tensor.file_offset, what, codes.size(), code, range.low, range.high,
          damaged_advice));
    }
    codes.push_back(static_cast<Code>(code));
  }
  return codes;
}

std::vector<float> steps_of(const StoredTensor& tensor) {
  return stored_floats(tensor, "step", "a positive number",
                       [](float step) { return std::isfinite(step) && step > 0.0F; });
}

}  // namespace

QuantizedWeight unpack(const PackedSource& source, const std::string& module, Index rows,
                       Index columns, const Scheme& scheme) {
  if (const auto fault = packing_fault(scheme.weights, columns)) {
    throw InputError(fmt::format("'{}.weight' is not stored by its scheme: {}; {}", module, *fault,
                                 damaged_advice));
  }
  QuantizedWeight weight;
  weight.scheme = scheme.weights;
  weight.rows = rows;
  weight.columns = columns;
  const bool by_book = is_signed_book(scheme.weights.codes);
  for (const PackedPart& part : weight_parts(module, rows, columns, scheme)) {
    const StoredTensor& tensor = checked_tensor(source, part.plan);
    if (part.kind == Kind::shape) {
      check_shape(tensor, rows, columns);
    } else if (by_book) {
      unpack_book(tensor, part, weight);
    } else if (part.kind == Kind::codes) {
      weight.codes = codes_of<std::int16_t>(tensor, scheme.weights, part, "code");
    } else if (part.kind == Kind::steps) {
      weight.steps = steps_of(tensor);
    } else {
      assert(part.kind == Kind::zero_points);
      weight.zero_points = codes_of<std::int32_t>(tensor, scheme.weights, part, "zero point");
    }
  }
  if (scheme.weights.symmetric) weight.zero_points.assign(weight.steps.size(), 0);
  return weight;
}

AffineParameters unpack_input(const PackedSource& source, const std::string& module,
                              const Scheme& scheme) {
  AffineParameters parameters;
  for (const PackedPart& part : input_parts(module, scheme.activations)) {
    const StoredTensor& tensor = checked_tensor(source, part.plan);
    if (part.kind == Kind::input_step) {
      parameters.step = steps_of(tensor).front();
    } else {
      parameters.zero_point =
          codes_of<std::int32_t>(tensor, scheme.activations, part, "zero point").front();
    }
  }
  return parameters;
}

}  // namespace evenkeel
