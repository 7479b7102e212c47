// Element types of stored tensors, under their safetensors names.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL };

/// Bytes of one element.
std::size_t size_of(DType dtype);
/// "F32", "BF16", ...
std::string_view name_of(DType dtype);
/// The type of that name; nothing for a name not listed above.
std::optional<DType> dtype_named(std::string_view name);
/// "F64, F32, ...": all of them, for messages.
std::string dtype_names();
/// F32, F16 or BF16: the types that weights may have.
bool is_float(DType dtype);

}  // namespace evenkeel
