// A mapped file of tensors, whatever its format: safetensors or GGUF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "io/stored_tensor.h"

namespace evenkeel {

/// Read-only. Thread-safe after construction. Move-only in use: tensors point into the file, which
/// lives as long as the last object that holds it.
class TensorFile {
 public:
  /// `name`: of the safetensors file that holds these tensors when they are written.
  /// REQUIRES: every tensor's bytes lie in `file`, at its file_offset or, for what the file stores
  /// as one tensor and the checkpoint has as several, inside it; names are unique.
  TensorFile(std::filesystem::path path, std::string name, std::shared_ptr<const MappedFile> file,
             std::vector<StoredTensor> tensors, std::map<std::string, std::string> metadata);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }
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
  std::string name_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace evenkeel
