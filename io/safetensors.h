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
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/dtype.h"
#include "io/file.h"
#include "io/tensor_file.h"

namespace evenkeel {

/// A memory-mapped file, read-only. Adds nothing to a TensorFile but how it is read, so that it may
/// be moved into one.
class SafetensorsFile : public TensorFile {
 public:
  /// Throws: InputError naming path, tensor, expected, actual and offset when the header length,
  /// the JSON, a dtype, a shape, an offset pair, the coverage (holes, overlaps, bytes that do not
  /// match dtype x shape) or a duplicate name is wrong. Its tensors are in the order of their data
  /// offsets.
  explicit SafetensorsFile(const std::filesystem::path& path);
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
  /// With `keep`, what an earlier program left of the same plan is there to be adopted; of another
  /// plan it is discarded.
  SafetensorsWriter(std::filesystem::path path, std::vector<TensorPlan> plan,
                    const std::map<std::string, std::string>& metadata,
                    Leftovers leftovers = Leftovers::discard);

  /// In the order of the data.
  const std::vector<TensorPlan>& plan() const { return plan_; }
  /// REQUIRES: `name` planned, bytes of its dtype and shape, each name written once.
  void write(std::string_view name, std::span<const std::byte> bytes);
  /// Whether the tensor's bytes in the file, whoever wrote them, have that hash
  /// (io/content_hash.h); false for a name that is not planned. Throws: MachineError.
  bool holds(std::string_view name, std::string_view hash) const;
  /// Counts the tensor as written. REQUIRES: as `write`.
  void adopt(std::string_view name);
  /// Returns when what was written is on the disk. Throws: MachineError.
  void sync() { file_->sync(); }
  /// Where the file is until `commit`: readable, a tensor not yet written has any bytes.
  const std::filesystem::path& temporary() const { return file_->temporary(); }
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
