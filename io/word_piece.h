// WordPiece (Schuster & Nakajima 2012; Devlin et al. 2019), the model "WordPiece" of
// tokenizer.json.
#pragma once

#include <memory>

#include "io/token_model.h"

namespace evenkeel {

/// Settings: vocab {token: id}, unk_token ("[UNK]"), continuing_subword_prefix ("##"),
/// max_input_chars_per_word (100). The longest token that a word begins with, then the longest with
/// the prefix before it that the rest begins with, and so on; a word that cannot be spelt so, or is
/// longer than the limit in characters, is one unk_token.
/// Throws: InputError when a setting is wrong or the unk_token is not in the vocabulary.
std::unique_ptr<const TokenModel> make_word_piece(const ComponentSettings& settings,
                                                  WordBytes word_bytes);

}  // namespace evenkeel
