// One GGUF file as a checkpoint: its metadata as a config.json and a tokenizer.json, its tensors
// under their Hugging Face names.
#pragma once

#include "io/checkpoint_store.h"
#include "io/gguf.h"

namespace evenkeel {

class GgufStore : public CheckpointStore {
 public:
  /// Throws: InputError as GgufFile; when the file is one of several parts of a model.
  explicit GgufStore(const std::filesystem::path& file);

  /// Errors also as gguf_config.
  JsonReader config() const override;
  /// One, to be written as model.safetensors. Errors also as gguf_tensors.
  std::vector<TensorFile> shards() const override;
  std::optional<JsonReader> index() const override;
  /// Errors also as gguf_tokenizer.
  Tokenizer tokenizer() const override;
  /// Writes tokenizer.json, when the file has a tokenizer.
  void write_companions(const std::filesystem::path& folder) const override;
  std::vector<std::filesystem::path> files() const override { return {file_.path()}; }

 private:
  GgufFile file_;
};

}  // namespace evenkeel
