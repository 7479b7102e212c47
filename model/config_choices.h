// What families read from config.json in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/json_reader.h"
#include "model/architecture.h"

namespace evenkeel {

/// Throws: InputError unless the boolean `key` (or, when absent, `otherwise`) is `supported`.
void require_choice(const JsonReader& config, std::string_view key, bool otherwise, bool supported);

/// Throws: InputError when the activation named at `key` is not supported, naming those that are.
Activation activation_choice(const JsonReader& config, std::string_view key,
                             std::string_view otherwise);

/// rope_theta (or the key `base_key`) and rope_scaling, in the old place or in rope_parameters,
/// for the first `channels` of each head.
/// Throws: InputError when the rope type is not supported.
RotaryOptions rotary_choice(const JsonReader& config, Index channels,
                            std::string_view base_key = "rope_theta");

/// How many channels of each head are rotated: the part at `key`, or at partial_rotary_factor.
/// Throws: InputError when that is no part.
Index rotary_part(const JsonReader& config, Index head_channels, std::string_view key,
                  double otherwise);

/// The number at `key`, 0 (none) where it is null, and `otherwise` where the key is absent: what
/// transformers takes when a config leaves it out.
double number_or_none(const JsonReader& config, std::string_view key, double otherwise);
std::int64_t integer_or_none(const JsonReader& config, std::string_view key,
                             std::int64_t otherwise);

/// The window of each block: `layer_types` where the config has it, else `window` for the blocks
/// that `slides` says (by number).
/// Throws: InputError when a type of layer is not supported, the window is negative, or there are
/// more blocks than any model has.
std::vector<Index> window_choice(const JsonReader& config, Index blocks, Index window,
                                 bool (*slides)(Index number));

/// channels, blocks, heads, key-value heads, head channels and vocabulary under their usual names;
/// query_scale head_channels^-0.5.
Architecture usual_sizes(const JsonReader& config, std::string_view model_type);

/// Query, key and value in one stored module.
void fuse_attention(Architecture& model, const std::string& module, FusedLayout layout, bool bias);

/// A bias, or none, of query, key, value and output.
void give_attention_bias(Architecture& model, bool bias);

/// The sizes and the embedding of GPT-2 and GPT-J under their names: n_embd, n_layer, n_head,
/// n_inner.
Architecture gpt_like(const JsonReader& config, std::string_view model_type);

/// The modules of LLaMA and its kin: RMSNorm, gated MLP, rotary positions.
Architecture llama_like(const JsonReader& config, std::string_view model_type);

}  // namespace evenkeel
