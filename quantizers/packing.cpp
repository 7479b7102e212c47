#include "quantizers/packing.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/floats.h"
#include "quantizers/bit_words.h"
#include "quantizers/packed_parts.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;
using Bytes = std::vector<std::byte>;

template <class Element>
std::vector<Element> transposed(std::span<const Element> values, std::size_t rows,
                                std::size_t columns) {
  std::vector<Element> result(values.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      result[column * rows + row] = values[row * columns + column];
    }
  }
  return result;
}

// Words are moved as they are, whatever the machine's byte order.
using Word = std::array<std::byte, 4>;

Bytes transposed_words(const Bytes& bytes, std::size_t rows, std::size_t columns) {
  std::vector<Word> words(bytes.size() / sizeof(Word));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  const auto turned = transposed<Word>(words, rows, columns);
  Bytes result(bytes.size());
  std::memcpy(result.data(), turned.data(), result.size());
  return result;
}

template <class Code>
Bytes code_bytes(std::span<const Code> codes, const TensorScheme& scheme) {
  const int offset = byte_offset(scheme);
  Bytes bytes(codes.size());
  std::ranges::transform(codes, bytes.begin(), [offset](Code code) {
    return static_cast<std::byte>(static_cast<std::int8_t>(code - offset));
  });
  return bytes;
}

// Each line of `length` codes as words of its own.
template <class Code>
Bytes code_words(std::span<const Code> codes, std::size_t length, const TensorScheme& scheme) {
  const std::size_t line_bytes = words_of(length, scheme.bits) * sizeof(Word);
  const std::size_t lines = codes.size() / length;
  const int offset = word_offset(scheme);
  Bytes bytes(lines * line_bytes);
  for (std::size_t line = 0; line < lines; ++line) {
    const auto run = std::span(bytes).subspan(line * line_bytes, line_bytes);
    for (std::size_t i = 0; i < length; ++i) {
      put_bits(run, i, scheme.bits, static_cast<unsigned>(codes[line * length + i] + offset));
    }
  }
  return bytes;
}

Bytes zero_point_words(const QuantizedWeight& weight) {
  const auto rows = static_cast<std::size_t>(weight.rows);
  const auto groups = static_cast<std::size_t>(weight.groups());
  const auto columns = transposed<std::int32_t>(weight.zero_points, rows, groups);
  const Bytes bytes = code_words<std::int32_t>(columns, rows, weight.scheme);
  return transposed_words(bytes, groups, words_of(rows, weight.scheme.bits));
}

Bytes float_bytes(std::span<const float> values) {
  Bytes bytes(values.size() * sizeof(float));
  encode_floats(DType::F32, values, bytes);
  return bytes;
}

Bytes shape_bytes(Index rows, Index columns) {
  Bytes bytes;
  for (const Index size : {rows, columns}) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(size) >> shift));
    }
  }
  return bytes;
}

Bytes weight_bytes(Kind kind, const QuantizedWeight& weight) {
  switch (kind) {
    case Kind::code_bytes:
      return code_bytes<std::int16_t>(weight.codes, weight.scheme);
    case Kind::code_words:
      return code_words<std::int16_t>(weight.codes, static_cast<std::size_t>(weight.columns),
                                      weight.scheme);
    case Kind::weight_shape:
      return shape_bytes(weight.rows, weight.columns);
    case Kind::steps:
      return float_bytes(weight.steps);
    case Kind::zero_point_bytes:
      return code_bytes<std::int32_t>(weight.zero_points, weight.scheme);
    case Kind::zero_point_words:
      return zero_point_words(weight);
    default:
      assert(false && "not a part of a weight");
      return {};
  }
}

Bytes input_bytes(Kind kind, const AffineParameters& parameters, const TensorScheme& scheme) {
  if (kind == Kind::input_step) return float_bytes({&parameters.step, 1});
  assert(kind == Kind::input_zero_point);
  return code_bytes<std::int32_t>({&parameters.zero_point, 1}, scheme);
}

}  // namespace

std::vector<TensorPlan> packed_plan(const std::string& module, Index rows, Index columns,
                                    const Scheme& scheme) {
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
