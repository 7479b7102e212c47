// GGUF files for tests, byte by byte, so that a file may also lie.
#pragma once

#include "tests/support/safetensors_builder.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel::support {

/// Type numbers of the format.
namespace gguf_type {
inline constexpr std::uint32_t u8 = 0, u32 = 4, i32 = 5, f32 = 6, boolean = 7, text = 8, array = 9,
                               u64 = 10;
}  // namespace gguf_type

/// The bytes of one number.
template <class Number>
std::string number_bytes(Number number) {
  return bytes_of_numbers(std::vector<Number>{number});
}
/// Length and bytes.
std::string gguf_text(std::string_view text);
/// Element type, length, elements.
std::string gguf_array(std::uint32_t type, std::uint64_t count, std::string_view elements);
std::string gguf_texts(const std::vector<std::string>& texts);

/// Fields are public: a test changes what it wants to be wrong.
struct GgufBuilder {
  struct Entry {
    std::string key;
    std::uint32_t type = 0;
    std::string value;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> sizes;  // as in a checkpoint; written last first
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };

  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::int64_t more_entries = 0;  // than there are
  std::int64_t more_tensors = 0;
  std::uint64_t alignment = 32;
  std::vector<Entry> entries;
  std::vector<Tensor> tensors;
  std::string data;

  void add(std::string key, std::uint32_t type, std::string value);
  void add_text(std::string key, std::string_view text);
  void add_count(std::string key, std::uint32_t count);
  void add_number(std::string key, float number);
  /// Appends the bytes at the next aligned offset.
  void add_tensor(std::string name, std::vector<std::uint64_t> sizes, std::uint32_t type,
                  std::string_view bytes);
  /// An F32 tensor of so many elements: `first`, first + 1, ...
  void add_floats(std::string name, std::vector<std::uint64_t> sizes, float first = 0.0F);
  std::string bytes() const;
};

/// A llama of two heads of 4 channels, one key-value head, 2 blocks, vocabulary 5 in F32, with the
/// metadata that its config needs; element i of each tensor is i.
GgufBuilder tiny_llama_gguf();

}  // namespace evenkeel::support
