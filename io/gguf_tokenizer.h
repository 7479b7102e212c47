// The tokenizer of a GGUF file (tokenizer.ggml.*) as a tokenizer.json.
//
//   model "gpt2"   byte-level BPE: tokens, merges; tokenizer.ggml.pre names the pre-tokenizer
//                  (io/gguf_pretokenizers.h)
//   model "llama"  SentencePiece's BPE: tokens, scores; byte fallback; add_space_prefix
//
// token_type marks control tokens, which become special added tokens, and user-defined ones, which
// become added tokens; add_bos_token and add_eos_token become the post-processor.
#pragma once

#include <nlohmann/json.hpp>

#include "io/gguf.h"

namespace evenkeel {

/// Whether the file has a tokenizer, of whatever kind.
bool has_tokenizer(const GgufFile& file);

/// Throws: InputError that names the key when it is missing or wrong, when arrays are not as long
/// as the tokens, a token is there twice or not UTF-8, or the model or pre-tokenizer is not
/// supported (the message names those that are).
nlohmann::ordered_json gguf_tokenizer(const GgufFile& file);

}  // namespace evenkeel
