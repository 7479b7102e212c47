// The pre-tokenizer Metaspace: SentencePiece's way to write spaces (Kudo & Richardson 2018).
#pragma once

#include <memory>

#include "io/pretokenizer.h"

namespace evenkeel {

/// Writes each space as `replacement` (one character), puts one before a text that does not begin
/// with it (`prepend_scheme`: "always", "never", or "first": only where the text given to `encode`
/// begins), and unless `split` is false begins a word with each. Older files say
/// `add_prefix_space`; false must agree with `prepend_scheme`.
/// Throws: InputError when a setting is missing or wrong.
std::unique_ptr<const PreTokenizer> make_metaspace(const ComponentSettings& settings);

}  // namespace evenkeel
