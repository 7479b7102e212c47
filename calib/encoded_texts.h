// Texts one by one become what a model reads: ids among special tokens, each of its own length.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "io/encoding.h"
#include "io/labelled_text.h"
#include "io/tokenizer.h"
#include "model/language_model.h"

namespace evenkeel {

/// Texts, or pairs of texts, of `file` with special tokens and token types, truncated to `length`
/// tokens or to the model's positions if these are fewer. Texts are encoded in parallel.
/// Throws: InputError with file and line when nothing is left of a text; as
/// Tokenizer::encode_single and encode_pair.
std::vector<Encoding> encode_texts(const LanguageModel& model, const Tokenizer& tokenizer,
                                   const std::filesystem::path& file,
                                   const std::vector<LabelledText>& texts, std::int64_t length);

}  // namespace evenkeel
