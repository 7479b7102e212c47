// The pre-tokenizer ByteLevel: words of bytes.
#pragma once

#include <memory>

#include "io/pretokenizer.h"

namespace evenkeel {

/// Words that are bytes, split by the GPT-2 expression unless `use_regex` is false, each text with
/// a space before it when `add_prefix_space`. Throws: InputError when a setting is wrong.
std::unique_ptr<const PreTokenizer> make_byte_level_splitter(const ComponentSettings& settings);

}  // namespace evenkeel
