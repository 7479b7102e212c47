// Changes to a written checkpoint: a key of config.json, or tensors of model.safetensors.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/safetensors_builder.h"

namespace evenkeel::support {

/// A null removes the key.
void change_config(const std::filesystem::path& folder, const std::string& key,
                   const nlohmann::json& value);

/// Calls `change` with all tensors, which it may rename, reshape, remove or add to.
void change_tensors(const std::filesystem::path& folder,
                    const std::function<void(std::vector<BuiltTensor>&)>& change);

/// Throws: std::out_of_range.
BuiltTensor& tensor_named(std::vector<BuiltTensor>& tensors, const std::string& name);

}  // namespace evenkeel::support
