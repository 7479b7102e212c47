// The weights of a checkpoint folder: one file, or the shards that an index names.
#pragma once

#include <filesystem>
#include <vector>

#include "io/safetensors.h"

namespace evenkeel {

/// model.safetensors, or the shards of model.safetensors.index.json by name. No tensor is in two,
/// and index and shards agree.
/// Throws: InputError when the folder holds both or neither; when the index is malformed, names a
/// shard or a tensor that is not there or a file outside the folder, or leaves a tensor out; and
/// what SafetensorsFile throws.
std::vector<TensorFile> open_shards(const std::filesystem::path& folder);

}  // namespace evenkeel
