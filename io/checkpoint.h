// A checkpoint: a folder in the Hugging Face layout (config.json, model.safetensors or shards with
// model.safetensors.index.json, tokenizer.json), or one GGUF file, which reads the same. Tensors
// stay mapped and are decoded on request, so that no more than the block in work is resident.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/checkpoint_store.h"
#include "io/json_reader.h"
#include "io/matrix.h"
#include "io/tensor_file.h"

namespace evenkeel {

/// Thread-safe after construction. Move-only.
class Checkpoint {
 public:
  /// `path`: the folder or the GGUF file.
  /// Throws: InputError when config.json or the weights are absent or wrong, when the index names
  /// a shard or tensor that is not there, or when a shard holds a tensor twice or one that the
  /// index puts elsewhere; what the store throws (io/checkpoint_store.h).
  explicit Checkpoint(const std::filesystem::path& path);
  /// What `store` gives, under the name of `path`. Throws: InputError as the store.
  Checkpoint(std::filesystem::path path, std::unique_ptr<const CheckpointStore> store);

  /// The folder or the GGUF file.
  const std::filesystem::path& folder() const { return folder_; }
  const JsonReader& config() const { return config_; }
  const std::vector<TensorFile>& shards() const { return shards_; }
  const CheckpointStore& store() const { return *store_; }
  std::int64_t parameters() const;  // elements of all float tensors

  /// The tensor, or nullptr.
  const StoredTensor* find(std::string_view name) const;
  /// Throws: InputError "FOLDER: tensor 'x' is missing".
  const StoredTensor& at(std::string_view name) const;
  /// Decoded [rows, columns]. Throws: InputError when the tensor is missing, has another shape
  /// (message names config-derived expected shape and actual), a non-float dtype, or holds NaN or
  /// infinity (message names the element).
  Matrix matrix(std::string_view name, Index rows, Index columns) const;
  /// Decoded [size]; errors as for `matrix`.
  Vector vector(std::string_view name, Index size) const;
  /// Rows of a [rows, columns] tensor, row `ids[i]` at i, without decoding the others.
  /// REQUIRES: ids in [0, rows). Errors as for `matrix`, NaN only in the rows read.
  Matrix gather(std::string_view name, Index rows, Index columns,
                std::span<const TokenId> ids) const;
  /// Rows [first, first + count) of a [rows, columns] tensor; errors as for `gather`.
  Matrix row_range(std::string_view name, Index rows, Index columns, Index first,
                   Index count) const;
  /// Lets the kernel drop the tensor's pages.
  void release(std::string_view name) const;

 private:
  using Place = std::pair<std::size_t, const StoredTensor*>;  // which shard, which tensor
  const Place& place(std::string_view name) const;

  std::filesystem::path folder_;
  std::unique_ptr<const CheckpointStore> store_;
  JsonReader config_;
  std::vector<TensorFile> shards_;
  std::map<std::string, Place, std::less<>> tensors_;
};

}  // namespace evenkeel
