// Element types of stored tensors, under their safetensors or GGUF names.
//
// The types of GGUF whose names begin with Q store a block of elements together: small integers and
// what scales them (io/gguf_blocks.h). They are read, never written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

enum class DType {
  F64,
  F32,
  F16,
  BF16,
  I64,
  I32,
  I16,
  I8,
  U8,
  BOOL,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q4_K,
  Q5_K,
  Q6_K
};

/// Elements of one block: 32 or 256, and 1 for a type that is no block type.
std::size_t block_elements(DType dtype);
/// Bytes of one block.
std::size_t block_bytes(DType dtype);
/// Bytes of one element. REQUIRES: block_elements(dtype) == 1.
std::size_t size_of(DType dtype);
/// "F32", "BF16", ...
std::string_view name_of(DType dtype);
/// The type that safetensors files call so; nothing for any other name.
std::optional<DType> dtype_named(std::string_view name);
/// "F64, F32, ...": those of safetensors files, for messages.
std::string dtype_names();
/// F32, F16 or BF16: the types that weights are written in.
bool is_float(DType dtype);
/// A float or a block type: the types that weights are read from.
bool is_weight(DType dtype);
/// The float type that a weight of this type is written in: itself, F16 for a block type.
/// REQUIRES: is_weight(dtype).
DType written_dtype(DType dtype);

}  // namespace evenkeel
