// A checkpoint folder in the Hugging Face layout: config.json, model.safetensors or shards with
// model.safetensors.index.json, tokenizer.json.
#pragma once

#include "io/checkpoint_store.h"

namespace evenkeel {

/// Opens nothing until it is asked for.
class CheckpointFolder : public CheckpointStore {
 public:
  explicit CheckpointFolder(std::filesystem::path folder);

  JsonReader config() const override;
  /// Errors also as open_shards.
  std::vector<TensorFile> shards() const override;
  std::optional<JsonReader> index() const override;
  Tokenizer tokenizer() const override;
  /// Copies *.json, *.txt, *.model, *.jinja and LICENSE* but config and index.
  void write_companions(const std::filesystem::path& folder) const override;
  std::vector<std::filesystem::path> files() const override;

 private:
  std::filesystem::path folder_;
};

}  // namespace evenkeel
