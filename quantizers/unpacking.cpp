// The reading half of packing.h. Every byte comes from outside.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/affine.h"
#include "quantizers/bit_words.h"
#include "quantizers/packed_parts.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;

constexpr std::string_view advice =
    "the checkpoint is damaged, or its quantization_config belongs to another one";

const StoredTensor& checked_tensor(const PackedSource& source, const TensorPlan& plan) {
  const StoredTensor& tensor = source.at(plan.name);
  if (tensor.dtype != plan.dtype || tensor.shape != plan.shape) {
    throw InputError(fmt::format("tensor '{}': expected {} {}, got {} {}; {}", plan.name,
                                 name_of(plan.dtype), shape_text(plan.shape), name_of(tensor.dtype),
                                 tensor.shape_text(), advice));
  }
  return tensor;
}

// Refuses numbers that no code of the scheme has; `what` is "code" or "zero point".
class CodeCheck {
 public:
  CodeCheck(const StoredTensor& tensor, const TensorScheme& scheme, std::string_view what)
      : tensor_(tensor), range_(code_range(scheme.bits, scheme.symmetric)), what_(what) {}

  int operator()(int code, std::size_t element) const {
    if (code >= range_.low && code <= range_.high) return code;
    throw InputError(fmt::format(
        "tensor '{}' (file offset {}): {} {} is {}, outside {} .. {} of the scheme; {}",
        tensor_.name, tensor_.file_offset, what_, element, code, range_.low, range_.high, advice));
  }

 private:
  const StoredTensor& tensor_;
  CodeRange range_;
  std::string_view what_;
};

template <class Code>
std::vector<Code> codes_of_bytes(const StoredTensor& tensor, const TensorScheme& scheme,
                                 std::string_view what) {
  const CodeCheck check(tensor, scheme, what);
  const int offset = byte_offset(scheme);
  std::vector<Code> codes;
  codes.reserve(tensor.bytes.size());
  for (const std::byte byte : tensor.bytes) {
    const int code = std::to_integer<std::int8_t>(byte) + offset;
    codes.push_back(static_cast<Code>(check(code, codes.size())));
  }
  return codes;
}

std::vector<std::int16_t> codes_of_words(const StoredTensor& tensor, const TensorScheme& scheme,
                                         std::size_t rows, std::size_t columns) {
  const CodeCheck check(tensor, scheme, "code");
  const int offset = word_offset(scheme);
  const std::size_t row_bytes = words_of(columns, scheme.bits) * 4;
  std::vector<std::int16_t> codes;
  codes.reserve(rows * columns);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto run = tensor.bytes.subspan(row * row_bytes, row_bytes);
    for (std::size_t column = 0; column < columns; ++column) {
      const int code = static_cast<int>(bits_at(run, column, scheme.bits)) - offset;
      codes.push_back(static_cast<std::int16_t>(check(code, codes.size())));
    }
  }
  return codes;
}

// [words, groups], each column a run; packed zero points exist only where any number of `bits` bits
// is a code, so that there is nothing to refuse.
std::vector<std::int32_t> zero_points_of_words(const StoredTensor& tensor, int bits,
                                               std::size_t rows, std::size_t groups) {
  const std::size_t words = words_of(rows, bits);
  std::vector<std::byte> run(words * 4);
  std::vector<std::int32_t> zero_points(rows * groups);
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::size_t word = 0; word < words; ++word) {
      std::ranges::copy(tensor.bytes.subspan((word * groups + group) * 4, 4),
                        run.begin() + static_cast<std::ptrdiff_t>(word * 4));
    }
    for (std::size_t row = 0; row < rows; ++row) {
      zero_points[row * groups + group] = static_cast<std::int32_t>(bits_at(run, row, bits));
    }
  }
  return zero_points;
}

std::vector<float> steps_of(const StoredTensor& tensor) {
  std::vector<float> steps(static_cast<std::size_t>(tensor.elements()));
  decode_floats(DType::F32, tensor.bytes, steps);
  const auto wrong =
      std::ranges::find_if(steps, [](float step) { return !(std::isfinite(step) && step > 0.0F); });
  if (wrong != steps.end()) {
    throw InputError(
        fmt::format("tensor '{}' (file offset {}): step {} is {}, expected a positive number; {}",
                    tensor.name, tensor.file_offset, wrong - steps.begin(), *wrong, advice));
  }
  return steps;
}

void require_shape(const StoredTensor& tensor, Index rows, Index columns) {
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < 2; ++i) {
    std::uint64_t size = 0;
    for (std::size_t byte = 8; byte-- > 0;) {
      size = (size << 8U) | std::to_integer<std::uint64_t>(tensor.bytes[i * 8 + byte]);
    }
    shape.push_back(static_cast<std::int64_t>(size));
  }
  const std::vector<std::int64_t> expected{rows, columns};
  if (shape == expected) return;
  throw InputError(fmt::format("tensor '{}' (file offset {}): expected {}, got {}; {}", tensor.name,
                               tensor.file_offset, shape_text(expected), shape_text(shape),
                               advice));
}

}  // namespace

QuantizedWeight unpack(const PackedSource& source, const std::string& module, Index rows,
                       Index columns, const Scheme& scheme) {
  QuantizedWeight weight;
  weight.scheme = scheme.weights;
  weight.rows = rows;
  weight.columns = columns;
  const auto height = static_cast<std::size_t>(rows);
  for (const auto& [kind, plan] : weight_parts(module, rows, columns, scheme.weights)) {
    const StoredTensor& tensor = checked_tensor(source, plan);
    switch (kind) {
      case Kind::code_bytes:
        weight.codes = codes_of_bytes<std::int16_t>(tensor, scheme.weights, "code");
        break;
      case Kind::code_words:
        weight.codes =
            codes_of_words(tensor, scheme.weights, height, static_cast<std::size_t>(columns));
        break;
      case Kind::weight_shape:
        require_shape(tensor, rows, columns);
        break;
      case Kind::steps:
        weight.steps = steps_of(tensor);
        break;
      case Kind::zero_point_bytes:
        weight.zero_points = codes_of_bytes<std::int32_t>(tensor, scheme.weights, "zero point");
        break;
      case Kind::zero_point_words:
        weight.zero_points = zero_points_of_words(tensor, scheme.weights.bits, height,
                                                  static_cast<std::size_t>(weight.groups()));
        break;
      default:
        assert(false && "not a part of a weight");
    }
  }
  if (scheme.weights.symmetric) weight.zero_points.assign(weight.steps.size(), 0);
  return weight;
}

AffineParameters unpack_input(const PackedSource& source, const std::string& module,
                              const Scheme& scheme) {
  AffineParameters parameters;
  for (const auto& [kind, plan] : input_parts(module, scheme.activations)) {
    const StoredTensor& tensor = checked_tensor(source, plan);
    if (kind == Kind::input_step) {
      parameters.step = steps_of(tensor).front();
    } else {
      parameters.zero_point =
          codes_of_bytes<std::int32_t>(tensor, scheme.activations, "zero point").front();
    }
  }
  return parameters;
}

}  // namespace evenkeel
