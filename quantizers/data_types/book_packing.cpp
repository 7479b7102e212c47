#include "quantizers/data_types/book_packing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "quantizers/data_types/bit_stream.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/data_types/data_type.h"

namespace evenkeel {
namespace {

using Kind = PackedPart::Kind;

std::vector<std::byte> column_bytes(const std::vector<Index>& columns) {
  const std::vector<std::int32_t> numbers(columns.begin(), columns.end());
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

bool is_finite(float value) { return std::isfinite(value); }

std::vector<float> book_values_of(const StoredTensor& tensor) {
  auto values = stored_floats(tensor, "value", "a number from -1 to 1",
                              [](float value) { return value >= -1.0F && value <= 1.0F; });
  const auto wrong = std::ranges::is_sorted_until(values);
  if (wrong != values.end()) {
    throw InputError(
        fmt::format("tensor '{}' (file offset {}): value {} is below the one before it, expected "
                    "ascending values; {}",
                    tensor.name, tensor.file_offset, wrong - values.begin(), damaged_advice));
  }
  return values;
}

// Of weights of `columns`: ascending, each once.
std::vector<Index> columns_of(const StoredTensor& tensor, Index columns) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(tensor.elements()));
  assert(tensor.bytes.size() == numbers.size() * sizeof(std::int32_t));
  std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  Index least = 0;
  for (const std::int32_t number : numbers) {
    if (number < least || number >= columns) {
      throw InputError(
          fmt::format("tensor '{}' (file offset {}): column {} is not above the one before it and "
                      "below {}; {}",
                      tensor.name, tensor.file_offset, number, columns, damaged_advice));
    }
    least = Index{number} + 1;
  }
  return {numbers.begin(), numbers.end()};
}

std::vector<std::int16_t> positions_of(const StoredTensor& tensor, std::size_t count,
                                       const TensorScheme& scheme) {
  auto unpacked = unpack_bits(tensor.bytes, count, scheme.bits);
  if (!unpacked) {
    throw InputError(fmt::format(
        "tensor '{}' (file offset {}): bits that belong to no code are set, expected 0; {}",
        tensor.name, tensor.file_offset, damaged_advice));
  }
  const auto values = static_cast<std::int16_t>(data_type_size(scheme));
  const auto wrong =
      std::ranges::find_if(*unpacked, [values](std::int16_t code) { return code >= values; });
  if (wrong != unpacked->end()) {
    throw InputError(fmt::format(
        "tensor '{}' (file offset {}): code {} is {}, and its code book has {} values; {}",
        tensor.name, tensor.file_offset, wrong - unpacked->begin(), *wrong, values,
        damaged_advice));
  }
  return std::move(*unpacked);
}

}  // namespace

std::vector<PackedPart> book_parts(const std::string& module, Index rows, Index columns,
                                   const TensorScheme& weights) {
  const Index kept = kept_columns(weights, columns);
  const auto codes = static_cast<std::size_t>(rows * (columns - kept));
  const auto bytes = static_cast<std::int64_t>(bit_stream_bytes(codes, weights.bits));
  const auto constants = static_cast<std::int64_t>(book_constants(weights, rows, columns - kept));
  std::vector<PackedPart> parts{
      packed_part(Kind::codes, module, "weight_codes", DType::U8, {bytes}),
      packed_part(Kind::shape, module, "weight_shape", DType::I64, {2}),
      packed_part(Kind::constants, module, "weight_absmax", DType::F16, {constants}),
      packed_part(Kind::code_book, module, "weight_code_book", DType::F32,
                  {static_cast<std::int64_t>(data_type_size(weights))})};
  if (weights.centered) {
    parts.push_back(packed_part(Kind::means, module, "weight_mean", DType::F16, {constants}));
  }
  if (kept > 0) {
    parts.push_back(
        packed_part(Kind::kept_columns, module, "weight_kept_columns", DType::I32, {kept}));
    parts.push_back(
        packed_part(Kind::kept_weight, module, "weight_kept", DType::F16, {rows, kept}));
  }
  return parts;
}

std::vector<std::byte> book_bytes(const PackedPart& part, const QuantizedWeight& weight) {
  const BookPart& book = weight.book;
  switch (part.kind) {
    case Kind::codes:
      return pack_bits(weight.codes, weight.scheme.bits);
    case Kind::constants:
      return float_bytes(weight.steps, DType::F16);
    case Kind::means:
      return float_bytes(book.means, DType::F16);
    case Kind::code_book:
      return float_bytes(book.values);
    case Kind::kept_columns:
      return column_bytes(book.kept);
    default:
      assert(part.kind == Kind::kept_weight);
      return float_bytes(
          {book.kept_weight.data(), static_cast<std::size_t>(book.kept_weight.size())}, DType::F16);
  }
}

void unpack_book(const StoredTensor& tensor, const PackedPart& part, QuantizedWeight& weight) {
  BookPart& book = weight.book;
  const Index kept = kept_columns(weight.scheme, weight.columns);
  switch (part.kind) {
    case Kind::codes:
      weight.codes = positions_of(
          tensor, static_cast<std::size_t>(weight.rows * (weight.columns - kept)), weight.scheme);
      break;
    case Kind::constants:
      weight.steps = stored_floats(tensor, "constant", "a number that is not negative",
                                   [](float step) { return std::isfinite(step) && step >= 0.0F; });
      break;
    case Kind::means:
      book.means = stored_floats(tensor, "mean", "a finite number", is_finite);
      break;
    case Kind::code_book:
      book.values = book_values_of(tensor);
      break;
    case Kind::kept_columns:
      book.kept = columns_of(tensor, weight.columns);
      break;
    default: {
      assert(part.kind == Kind::kept_weight);
      const auto values = stored_floats(tensor, "weight", "a finite number", is_finite);
      book.kept_weight = Eigen::Map<const Matrix>(values.data(), weight.rows, kept);
    }
  }
}

}  // namespace evenkeel
