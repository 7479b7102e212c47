// The metadata of a GGUF file as a config.json.
#pragma once

#include <nlohmann/json.hpp>

#include "io/gguf.h"
#include "io/gguf_family.h"

namespace evenkeel {

/// What the family's config.json would say: sizes, constants, which tensors are there, rotary
/// positions (io/gguf_rope.h) and, from the token embedding's rows, vocab_size.
/// Throws: InputError that names the metadata key when it is missing, of another kind, or differs
/// between the blocks, or when token_embd.weight is missing.
nlohmann::ordered_json gguf_config(const GgufFile& file, const GgufFamily& family);

}  // namespace evenkeel
