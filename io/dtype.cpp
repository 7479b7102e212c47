#include "io/dtype.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace evenkeel {
namespace {

struct Entry {
  DType dtype;
  std::size_t size;
  std::string_view name;
};

// In the order of the enumeration, so that a type is an index.
constexpr std::array<Entry, 10> table{{{DType::F64, 8, "F64"},
                                       {DType::F32, 4, "F32"},
                                       {DType::F16, 2, "F16"},
                                       {DType::BF16, 2, "BF16"},
                                       {DType::I64, 8, "I64"},
                                       {DType::I32, 4, "I32"},
                                       {DType::I16, 2, "I16"},
                                       {DType::I8, 1, "I8"},
                                       {DType::U8, 1, "U8"},
                                       {DType::BOOL, 1, "BOOL"}}};

const Entry& entry_of(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  assert(index < table.size() && table[index].dtype == dtype);
  return table[index];
}

}  // namespace

std::size_t size_of(DType dtype) { return entry_of(dtype).size; }

std::string_view name_of(DType dtype) { return entry_of(dtype).name; }

std::optional<DType> dtype_named(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Entry::name);
  if (found == table.end()) return std::nullopt;
  return found->dtype;
}

std::string dtype_names() {
  std::string names;
  for (const Entry& entry : table) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

bool is_float(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

}  // namespace evenkeel
