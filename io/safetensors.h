// safetensors: 8 bytes of header length N (little-endian), N bytes of JSON, then the data.
// The JSON maps each tensor's name to {"dtype", "shape", "data_offsets": [begin, end]}, offsets
// relative to the end of the header; "__metadata__" maps strings to strings.
//
// Every byte is treated as hostile: nothing of the header is used before it is checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/dtype.h"
#include "io/file.h"

namespace evenkeel {

/// "[192, 768]".
std::string shape_text(const std::vector<std::int64_t>& shape);

/// "row 3, column 17" of element 593 of [_, 192]; "element 593" unless the shape has two sizes.
std::string element_text(const std::vector<std::int64_t>& shape, std::uint64_t element);

/// Bytes of a tensor; nothing when a size is negative or the product does not fit 63 bits.
std::optional<std::uint64_t> bytes_of(DType dtype, const std::vector<std::int64_t>& shape);

/// One stored tensor; `bytes` points into the mapped file and lives as long as it.
struct StoredTensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::uint64_t file_offset = 0;  // of bytes[0], for messages

  std::int64_t elements() const;
  std::string shape_text() const;  // "[192, 768]"
};

/// A memory-mapped file, read-only. Thread-safe after construction.
class SafetensorsFile {
 public:
  /// Throws: InputError naming path, tensor, expected, actual and offset when the header length,
  /// the JSON, a dtype, a shape, an offset pair, the coverage (holes, overlaps, bytes that do not
  /// match dtype x shape) or a duplicate name is wrong.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of their data offsets.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The tensor of that name, or nullptr.
  const StoredTensor* find(std::string_view name) const;
  /// Throws: InputError that names the tensor and the file.
  const StoredTensor& at(std::string_view name) const;
  /// Tells the kernel that the tensor's pages will not be read again soon.
  void release(const StoredTensor& tensor) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::string> metadata_;
};

/// What a tensor to be written is, before its data is known.
struct TensorPlan {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
};

/// Writes a file whose tensors arrive in any order: the header is known first, data goes to its
/// place. The file appears under `path` only by `commit`, complete and synced; until then, and
/// for ever if `commit` is not called, whatever stood there is untouched.
class SafetensorsWriter {
 public:
  /// The data follows the plan's order; when an element would then not be aligned to its own size
  /// (which other readers need), larger dtypes go first, as in the format's own library.
  /// REQUIRES: names are unique and not "__metadata__", and every tensor's bytes_of is something.
  /// Throws: MachineError when the file cannot be made or the disk is full.
  SafetensorsWriter(std::filesystem::path path, std::vector<TensorPlan> plan,
                    const std::map<std::string, std::string>& metadata);

  /// In the order of the data.
  const std::vector<TensorPlan>& plan() const { return plan_; }
  /// REQUIRES: `name` planned, bytes of its dtype and shape, each name written once.
  void write(std::string_view name, std::span<const std::byte> bytes);
  /// Throws: MachineError when a planned tensor was not written, or sync or rename fails.
  void commit();

 private:
  std::filesystem::path path_;
  std::vector<TensorPlan> plan_;
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    bool written = false;
  };
  std::map<std::string, Place, std::less<>> places_;
  std::unique_ptr<ReplacingFile> file_;
};

}  // namespace evenkeel
