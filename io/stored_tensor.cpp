#include "io/stored_tensor.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/floats.h"
#include "io/gguf_blocks.h"

namespace evenkeel {
namespace {

constexpr std::size_t largest_block = 256;

// Elements of one row: of a vector, one.
Index row_elements(const StoredTensor& tensor) {
  return tensor.elements() / std::max<Index>(tensor.shape.front(), 1);
}

// The stored row that holds row `row` of the tensor.
Index stored_row(const StoredTensor& tensor, Index row) {
  if (tensor.rows == RowOrder::same) return row;
  const Index head_rows = tensor.shape.front() / tensor.heads;
  const Index head = row / head_rows;
  const Index in_head = row % head_rows;
  if (tensor.rows == RowOrder::halves_interleaved) {
    const Index half = head_rows / 2;
    return head * head_rows + 2 * (in_head % half) + in_head / half;
  }
  const Index part_rows = head_rows / 3;
  return (in_head / part_rows * tensor.heads + head) * part_rows + in_head % part_rows;
}

// The stored element that holds element `element` of the tensor.
Index stored_element(const StoredTensor& tensor, Index element) {
  if (tensor.rows == RowOrder::same) return element;
  const Index width = row_elements(tensor);
  return stored_row(tensor, element / width) * width + element % width;
}

// Elements [first, first + out.size()) in the order of the file.
void decode_stored(const StoredTensor& tensor, std::size_t first, std::span<float> out) {
  const std::size_t block = block_elements(tensor.dtype);
  const std::size_t bytes = block_bytes(tensor.dtype);
  if (block == 1) {
    decode_floats(tensor.dtype, tensor.bytes.subspan(first * bytes, out.size() * bytes), out);
    return;
  }
  std::array<float, largest_block> whole{};
  while (!out.empty()) {
    const std::size_t begin = first % block;
    const std::span<const std::byte> rest = tensor.bytes.subspan(first / block * bytes);
    std::size_t count = out.size() / block * block;
    if (begin == 0 && count > 0) {
      decode_blocks(tensor.dtype, rest.first(count / block * bytes), out.first(count));
    } else {
      count = std::min(out.size(), block - begin);
      decode_blocks(tensor.dtype, rest.first(bytes), std::span(whole).first(block));
      std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
    }
    first += count;
    out = out.subspan(count);
  }
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string element_text(const std::vector<std::int64_t>& shape, std::uint64_t element) {
  if (shape.size() != 2 || shape[1] == 0) return fmt::format("element {}", element);
  const auto columns = static_cast<std::uint64_t>(shape[1]);
  return fmt::format("row {}, column {}", element / columns, element % columns);
}

std::optional<std::uint64_t> bytes_of(DType dtype, const std::vector<std::int64_t>& shape) {
  const auto block = static_cast<std::int64_t>(block_elements(dtype));
  auto bytes = static_cast<std::int64_t>(block_bytes(dtype));
  if (block != 1 && (shape.empty() || shape.back() % block != 0)) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t size = i + 1 == shape.size() ? shape[i] / block : shape[i];
    if (shape[i] < 0 || __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return static_cast<std::uint64_t>(bytes);
}

std::int64_t StoredTensor::elements() const {
  return static_cast<std::int64_t>(bytes.size() / block_bytes(dtype) * block_elements(dtype));
}

std::string StoredTensor::shape_text() const { return evenkeel::shape_text(shape); }

bool StoredTensor::is_plain() const {
  return block_elements(dtype) == 1 && rows == RowOrder::same && offset == 0.0F;
}

void decode(const StoredTensor& tensor, Index first, std::span<float> out) {
  assert(is_weight(tensor.dtype));
  const std::span<float> all = out;
  if (tensor.rows == RowOrder::same) {
    decode_stored(tensor, static_cast<std::size_t>(first), out);
  } else {
    const Index width = row_elements(tensor);
    while (!out.empty()) {
      const auto count = std::min(out.size(), static_cast<std::size_t>(width - first % width));
      decode_stored(tensor, static_cast<std::size_t>(stored_element(tensor, first)),
                    out.first(count));
      first += static_cast<Index>(count);
      out = out.subspan(count);
    }
  }
  if (tensor.offset != 0.0F) {
    for (float& value : all) value += tensor.offset;
  }
}

std::uint64_t file_position(const StoredTensor& tensor, Index element) {
  const auto stored = static_cast<std::uint64_t>(stored_element(tensor, element));
  return tensor.file_offset + stored / block_elements(tensor.dtype) * block_bytes(tensor.dtype);
}

}  // namespace evenkeel
