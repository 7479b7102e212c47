// GGUF, versions 2 and 3, little-endian: the file format of one model in one file.
//
//   "GGUF", version u32, number of tensors u64, number of metadata entries u64
//   entries: key, type u32, value
//   tensors: name, number of sizes u32, sizes u64 (the last one of a row-major shape first),
//            type u32, offset u64
//   padding up to a multiple of general.alignment (32 unless given), then the data; offsets are
//   relative to its begin and multiples of the alignment
//
// A string is its length (u64) and that many bytes; an array its element type (u32), its length
// (u64) and its elements.
//
// Every byte is treated as hostile: nothing is used before it is checked, and nothing is allocated
// for a count that the bytes after it do not bear out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/file.h"
#include "io/stored_tensor.h"

namespace evenkeel {

/// The type of a metadata value, by its number in the file.
enum class GgufType : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  text,
  array,
  u64,
  i64,
  f64
};

struct GgufArray {
  GgufType type = GgufType::u8;  // of its elements
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;  // of all elements, checked
};

/// A single-precision number keeps its type, since its shortest text is another than a double's.
using GgufValue =
    std::variant<std::uint64_t, std::int64_t, float, double, bool, std::string_view, GgufArray>;

/// A memory-mapped file, read-only. Thread-safe after construction.
class GgufFile {
 public:
  /// Throws: InputError naming path, what, expected, actual and offset when the magic, version, a
  /// count, a length, a type, a key or name given twice, the alignment, a shape or an offset is
  /// wrong, data lies beyond the end or overlaps; when a tensor has a type that cannot be decoded
  /// (the message names those that can).
  explicit GgufFile(const std::filesystem::path& path);

  /// Whether the file begins as a GGUF file does. Does not throw: an unreadable file does not.
  static bool is_one(const std::filesystem::path& path) noexcept;

  const std::filesystem::path& path() const { return path_; }
  const std::shared_ptr<const MappedFile>& mapping() const { return file_; }
  /// In the order of their data; names and rows as in the file.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const StoredTensor* find_tensor(std::string_view name) const;

  /// The value of a metadata key, or nullptr.
  const GgufValue* find(std::string_view key) const;
  // Nothing when the key is absent. Each throws InputError that names key, expected and actual when
  // the value is of another kind.
  std::optional<std::int64_t> integer(std::string_view key) const;  // any integer type, in 63 bits
  std::optional<std::int64_t> count(std::string_view key) const;    // or an array of equal ones
  std::optional<double> number(std::string_view key) const;         // finite, of any type
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
  std::optional<std::vector<double>> numbers(std::string_view key) const;

  /// Throws: InputError "PATH: 'key': expected ..., got ...".
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;
  /// Throws: InputError "PATH: 'key' is missing; ...".
  [[noreturn]] void missing(std::string_view key) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace evenkeel
