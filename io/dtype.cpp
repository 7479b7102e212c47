#include "io/dtype.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace evenkeel {
namespace {

struct Entry {
  DType dtype;
  std::size_t elements;  // of a block
  std::size_t bytes;
  std::string_view name;
};

// In the order of the enumeration, so that a type is an index.
constexpr std::array<Entry, 18> table{{{DType::F64, 1, 8, "F64"},
                                       {DType::F32, 1, 4, "F32"},
                                       {DType::F16, 1, 2, "F16"},
                                       {DType::BF16, 1, 2, "BF16"},
                                       {DType::I64, 1, 8, "I64"},
                                       {DType::I32, 1, 4, "I32"},
                                       {DType::I16, 1, 2, "I16"},
                                       {DType::I8, 1, 1, "I8"},
                                       {DType::U8, 1, 1, "U8"},
                                       {DType::BOOL, 1, 1, "BOOL"},
                                       {DType::Q4_0, 32, 18, "Q4_0"},
                                       {DType::Q4_1, 32, 20, "Q4_1"},
                                       {DType::Q5_0, 32, 22, "Q5_0"},
                                       {DType::Q5_1, 32, 24, "Q5_1"},
                                       {DType::Q8_0, 32, 34, "Q8_0"},
                                       {DType::Q4_K, 256, 144, "Q4_K"},
                                       {DType::Q5_K, 256, 176, "Q5_K"},
                                       {DType::Q6_K, 256, 210, "Q6_K"}}};

const Entry& entry_of(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  assert(index < table.size() && table[index].dtype == dtype);
  return table[index];
}

bool is_block(const Entry& entry) { return entry.elements != 1; }

}  // namespace

std::size_t block_elements(DType dtype) { return entry_of(dtype).elements; }

std::size_t block_bytes(DType dtype) { return entry_of(dtype).bytes; }

std::size_t size_of(DType dtype) {
  assert(!is_block(entry_of(dtype)));
  return entry_of(dtype).bytes;
}

std::string_view name_of(DType dtype) { return entry_of(dtype).name; }

std::optional<DType> dtype_named(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Entry::name);
  if (found == table.end() || is_block(*found)) return std::nullopt;
  return found->dtype;
}

std::string dtype_names() {
  std::string names;
  for (const Entry& entry : table) {
    if (is_block(entry)) continue;
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

bool is_float(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

bool is_weight(DType dtype) { return is_float(dtype) || is_block(entry_of(dtype)); }

DType written_dtype(DType dtype) {
  assert(is_weight(dtype));
  return is_float(dtype) ? dtype : DType::F16;
}

}  // namespace evenkeel
