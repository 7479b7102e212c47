// Safetensors files for tests, byte by byte and without the project's own writer, so that a file
// may also lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace evenkeel::support {

/// The bytes of some numbers, as they lie in memory.
template <class Number>
std::string bytes_of_numbers(const std::vector<Number>& numbers) {
  static_assert(std::is_arithmetic_v<Number>);
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

struct BuiltTensor {
  std::string name;
  std::string dtype;  // "F32"
  std::vector<std::int64_t> shape;
  std::string bytes;
};

/// 8 bytes of `length` (little-endian), header, data.
std::string safetensors_bytes(std::uint64_t length, std::string_view header, std::string_view data);
/// The same with the header's true length.
std::string safetensors_bytes(std::string_view header, std::string_view data);
/// A true file: the tensors one after the other.
std::string safetensors_bytes(std::span<const BuiltTensor> tensors);

/// Makes or replaces a file. Throws: std::runtime_error.
void write_bytes(const std::filesystem::path& path, std::string_view bytes);
/// The whole of a file. Throws: std::runtime_error.
std::string read_bytes(const std::filesystem::path& path);

}  // namespace evenkeel::support
