// File names of a checkpoint folder in the Hugging Face layout, for its reader and its writer.
#pragma once

namespace evenkeel {

inline constexpr const char* config_name = "config.json";
inline constexpr const char* tokenizer_name = "tokenizer.json";
inline constexpr const char* single_weights_name = "model.safetensors";
// {"metadata": {"total_size": bytes, ...}, "weight_map": {tensor: shard}}
inline constexpr const char* weights_index_name = "model.safetensors.index.json";

}  // namespace evenkeel
