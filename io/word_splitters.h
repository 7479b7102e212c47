// The pre-tokenizers that cut a text without changing it.
#pragma once

#include <memory>

#include "io/pretokenizer.h"

namespace evenkeel {

// Each throws InputError when a setting is missing or wrong.

/// "pattern", "behavior" (io/split_behavior.h), "invert".
std::unique_ptr<const PreTokenizer> make_split(const ComponentSettings& settings);
/// Runs of digits, or with "individual_digits" each digit, are words.
std::unique_ptr<const PreTokenizer> make_digits(const ComponentSettings& settings);
/// "behavior" (Isolated).
std::unique_ptr<const PreTokenizer> make_punctuation(const ComponentSettings& settings);
/// Runs of word characters, and runs of what is neither that nor white space.
std::unique_ptr<const PreTokenizer> make_whitespace(const ComponentSettings& settings);
/// What lies between white space.
std::unique_ptr<const PreTokenizer> make_whitespace_split(const ComponentSettings& settings);
/// The same, punctuation apart (Devlin et al. 2019, BasicTokenizer of the published code).
std::unique_ptr<const PreTokenizer> make_bert_splitter(const ComponentSettings& settings);

}  // namespace evenkeel
