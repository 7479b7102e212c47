// Writes a checkpoint folder tensor by tensor: same shard names, order and metadata as the
// source, tokenizer and generation files written first, config.json and index last.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/checkpoint.h"
#include "io/safetensors.h"

namespace evenkeel {

/// By name, the hashes of tensors (io/content_hash.h).
using TensorHashes = std::map<std::string, std::string, std::less<>>;

/// Not thread-safe. `folder` is a new or empty folder (a job's staging folder); the caller moves it
/// into place when everything is written. With `keep` it may be what an earlier program left of the
/// same checkpoint, whose tensors can be adopted.
class CheckpointWriter {
 public:
  /// For each source tensor, what stands in its place: usually itself, or several tensors (a
  /// quantized weight and its steps), or none. What it plans in a block type is written in F16.
  using Layout = std::function<std::vector<TensorPlan>(const StoredTensor&)>;

  /// Keeps every tensor's name, shard, shape and, but for block types, dtype. The tensors of a GGUF
  /// file go to model.safetensors.
  /// Writes the source's companions (io/checkpoint_store.h), so that what is wrong with them is
  /// found before the work.
  /// Throws: MachineError when the folder is not empty or cannot be written or the disk is full;
  /// InputError when the layout plans a name twice.
  CheckpointWriter(const Checkpoint& source, std::filesystem::path folder);
  CheckpointWriter(const Checkpoint& source, std::filesystem::path folder, const Layout& layout,
                   Leftovers leftovers = Leftovers::discard);

  /// The planned tensor, or nullptr.
  const TensorPlan* find(std::string_view name) const;
  /// Writes floats in the planned (float) dtype. Throws: MachineError when the disk is full or a
  /// value does not fit the dtype (names tensor, element, value, dtype and what to do).
  void write(std::string_view name, const ConstMatrixView& values);
  void write(std::string_view name, std::span<const float> values);
  /// Writes bytes as they are. REQUIRES: size as planned.
  void write_bytes(std::string_view name, std::span<const std::byte> bytes);
  /// Returns when what was written is on the disk; the hashes of what was written since it was
  /// last called. Throws: MachineError.
  TensorHashes sync();
  /// Whether an earlier program wrote all these tensors: they are planned, not written since, and
  /// have those hashes. Throws: MachineError.
  bool holds(const TensorHashes& hashes) const;
  /// Takes them as written. REQUIRES: it holds them.
  void adopt(const TensorHashes& hashes);
  /// What there is so far, under the source's config: tensors not yet written have any bytes.
  /// Throws: InputError.
  Checkpoint so_far() const;
  /// Copies what was planned under its source's name, dtype and shape and not written, decoding
  /// what the source has in blocks or in another order; commits the shards; writes the index and
  /// config.json.
  /// Throws: MachineError; a planned tensor that was neither written nor copyable is one.
  void finish(const nlohmann::ordered_json& config);

 private:
  void check(const TensorPlan& planned, std::size_t first, std::span<const float> values) const;
  void copy_unwritten();
  void copy_decoded(const StoredTensor& stored, const TensorPlan& planned);
  void write_index() const;

  const Checkpoint& source_;
  std::filesystem::path folder_;
  struct Shard {
    std::string file;
    std::unique_ptr<SafetensorsWriter> writer;
  };
  std::vector<Shard> shards_;
  std::map<std::string, std::pair<std::size_t, const TensorPlan*>, std::less<>> plan_;
  std::set<std::string, std::less<>> written_;
  TensorHashes unsynced_;
};

}  // namespace evenkeel
