// Where a checkpoint comes from: a folder in the Hugging Face layout, or one GGUF file. What
// differs between the two is here; everything else sees a Checkpoint.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "io/json_reader.h"
#include "io/tensor_file.h"
#include "io/tokenizer.h"

namespace evenkeel {

/// Thread-safe. What it gives does not refer to it.
class CheckpointStore {
 public:
  CheckpointStore() = default;
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;
  virtual ~CheckpointStore() = default;

  // Each throws InputError when what it reads is absent, wrong or not supported.
  /// What config.json says, or would say.
  virtual JsonReader config() const = 0;
  /// All weights, under their Hugging Face names and in their shapes.
  virtual std::vector<TensorFile> shards() const = 0;
  /// model.safetensors.index.json, if there is one.
  virtual std::optional<JsonReader> index() const = 0;
  virtual Tokenizer tokenizer() const = 0;
  /// Writes into `folder` what a reader needs beside weights, index and config.json: tokenizer,
  /// generation settings, terms. Throws also: MachineError when it cannot be written.
  virtual void write_companions(const std::filesystem::path& folder) const = 0;
  /// Every file that any of these reads, in the order of their names.
  virtual std::vector<std::filesystem::path> files() const = 0;
};

/// Whether `path` is meant as a checkpoint: a folder or a GGUF file.
bool is_checkpoint(const std::filesystem::path& path);

/// Throws: InputError when `path` is neither a folder nor a GGUF file.
std::unique_ptr<const CheckpointStore> open_checkpoint_store(const std::filesystem::path& path);

}  // namespace evenkeel
