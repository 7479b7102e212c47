// How much text the tokens of an evaluation stand for, which differs from one vocabulary to
// another.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "io/tokenizer.h"

namespace evenkeel {

/// Bytes of the text's beginning that its first `tokens` tokens stand for: those of the shortest
/// beginning (of whole characters) that gives as many. Nothing for a file of token ids.
/// REQUIRES: the text has so many. Throws: InputError as read_corpus.
std::optional<std::size_t> text_bytes(const std::filesystem::path& file, std::size_t tokens,
                                      const Tokenizer& tokenizer);

}  // namespace evenkeel
