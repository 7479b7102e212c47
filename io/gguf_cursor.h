// Reads a GGUF file from its begin, each step within what is left of it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <type_traits>

#include "io/gguf.h"

namespace evenkeel {

/// The bytes must outlive it and the values that it gives. Not thread-safe.
class GgufCursor {
 public:
  GgufCursor(const std::filesystem::path& path, std::span<const std::byte> bytes)
      : path_(path), bytes_(bytes) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return bytes_.size() - position_; }

  // `what` names what is read, for the message of an InputError when it reaches beyond the end.
  template <class Number>
  Number number(std::string_view what) {
    static_assert(std::is_arithmetic_v<Number> && std::endian::native == std::endian::little);
    Number value{};
    std::memcpy(&value, take(sizeof(Number), what).data(), sizeof(Number));
    return value;
  }
  std::string_view text(std::string_view what);
  /// A value and the type before it.
  GgufValue value(std::string_view what);
  GgufValue value_of(GgufType type, std::string_view what);
  /// Throws unless `count` things of at least `size` bytes each can follow.
  void require(std::uint64_t count, std::uint64_t size, std::string_view what) const;

  /// Throws: InputError "PATH: what, at byte N; the file is damaged, ...".
  [[noreturn]] void fail(std::string_view what) const;

 private:
  std::span<const std::byte> take(std::uint64_t size, std::string_view what);
  GgufType type(std::string_view what);
  GgufArray array(std::string_view what, int depth);

  const std::filesystem::path& path_;
  std::span<const std::byte> bytes_;
  std::uint64_t position_ = 0;
};

}  // namespace evenkeel
