// A tensor as a file holds it, and its elements as floats, decoded on request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/dtype.h"
#include "io/matrix.h"

namespace evenkeel {

/// "[192, 768]".
std::string shape_text(const std::vector<std::int64_t>& shape);

/// "row 3, column 17" of element 593 of [_, 192]; "element 593" unless the shape has two sizes.
std::string element_text(const std::vector<std::int64_t>& shape, std::uint64_t element);

/// Bytes of a tensor; nothing when a size is negative, the product does not fit 63 bits, or blocks
/// do not divide the rows (the last size) of a block type.
std::optional<std::uint64_t> bytes_of(DType dtype, const std::vector<std::int64_t>& shape);

/// In what order a file holds the rows (the first size) of a tensor.
enum class RowOrder {
  same,
  /// Of each head's rows 0, h, 1, h + 1, ..., where h is half their number.
  halves_interleaved,
  /// The tensor has query, key and value rows of each head in turn; the file has the query rows of
  /// all heads, then the key rows, then the value rows.
  parts_together
};

/// One stored tensor; `bytes` points into the mapped file and lives as long as it.
struct StoredTensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::uint64_t file_offset = 0;  // of bytes[0], for messages

  // How the file's elements differ from the tensor's, which GGUF has for some.
  RowOrder rows = RowOrder::same;
  std::int64_t heads = 0;  // whose rows these are, in another order
  float offset = 0.0F;     // added to what is stored

  std::int64_t elements() const;
  std::string shape_text() const;  // "[192, 768]"
  /// Whether the bytes are the tensor's as a safetensors file would hold them.
  bool is_plain() const;
};

/// Decodes elements [first, first + out.size()), row-major, touching only their bytes.
/// REQUIRES: is_weight(tensor.dtype), the elements are in the tensor, and heads divide the rows
/// into even numbers (halves_interleaved) or multiples of three (parts_together).
void decode(const StoredTensor& tensor, Index first, std::span<float> out);

/// Where the file holds an element, or the block that it is in.
std::uint64_t file_position(const StoredTensor& tensor, Index element);

}  // namespace evenkeel
