// The unigram language model (Kudo 2018), the model "Unigram" of tokenizer.json.
#pragma once

#include <memory>

#include "io/token_model.h"

namespace evenkeel {

/// Settings: vocab [[token, log probability]] (the place is the id), unk_id, byte_fallback.
///
/// A word becomes the sequence of tokens whose log probabilities sum to the most (Viterbi, in
/// double; of equals the one found first, from the left, shortest token first). A character that is
/// no token counts as one 10 below the least probable; neighbours of that kind, with unk_tokens,
/// fuse into one stretch, which becomes the token of just that text, or its bytes "<0xNN>"
/// (byte_fallback, when all are there), or the unk_id. All as the `tokenizers` library does.
///
/// Throws: InputError when a setting is missing or wrong, a token is given twice; from `append_ids`
/// when the unk_id is needed and null.
std::unique_ptr<const TokenModel> make_unigram(const ComponentSettings& settings,
                                               WordBytes word_bytes);

}  // namespace evenkeel
