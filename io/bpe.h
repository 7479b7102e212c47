// Byte-pair encoding (Sennrich et al. 2016), the model "BPE" of tokenizer.json.
#pragma once

#include <memory>
#include <string_view>

#include "io/token_model.h"

namespace evenkeel {

/// Settings: vocab {token: id}, merges (["a b"] or [["a", "b"]]), unk_token, fuse_unk,
/// byte_fallback, ignore_merges. Supported only when null, empty or 0: dropout,
/// continuing_subword_prefix, end_of_word_suffix.
///
/// A symbol that the vocabulary lacks becomes its bytes "<0xNN>" (byte_fallback, when all are
/// there), else the unk_token; without one it is left out, as the `tokenizers` library does
/// (a complete byte-level vocabulary lacks no symbol).
///
/// Throws: InputError when a setting is missing, of the wrong type or not supported, an id is not
/// in [0, 2^31 - 1) or given twice, or a merge names a token that the vocabulary lacks; from
/// `append_ids` when the unk_token is needed and not in the vocabulary.
std::unique_ptr<const TokenModel> make_bpe(const ComponentSettings& settings, WordBytes word_bytes);

}  // namespace evenkeel
