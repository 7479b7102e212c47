// Calibration tokens without a corpus.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/matrix.h"
#include "io/tokenizer.h"

namespace evenkeel {

/// The first `count` ids of a text whose characters are uniform over the 32 ASCII punctuation
/// characters and the six whitespace characters (Paglieri et al. 2024, Section 3), tokenized
/// without special tokens. Throws: InputError when the tokenizer makes next to nothing of it.
Tokens random_ascii_tokens(std::size_t count, std::uint64_t seed, const Tokenizer& tokenizer);

/// `count` ids uniform over those below both vocabulary sizes (a model's may be padded) that are
/// not special tokens. Throws: InputError when there is none.
Tokens random_vocabulary_tokens(std::size_t count, std::uint64_t seed, const Tokenizer& tokenizer,
                                TokenId vocabulary_size);

}  // namespace evenkeel
