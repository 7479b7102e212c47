// How the byte-level tokenizers that tokenizer.ggml.pre names split text into words.
#pragma once

#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

namespace evenkeel {

struct GgufPreTokenizer {
  std::string_view name;
  /// Regular expressions, each splitting the words of the one before.
  std::span<const std::string_view> expressions;
  bool composes = false;     // the published tokenizers normalize to NFC
  bool whole_words = false;  // a word that is a token is not merged together
  bool begins_text = false;  // the default of tokenizer.ggml.add_bos_token
};

/// Throws: InputError, which begins with `place`, when the name is not known; it names those that
/// are.
const GgufPreTokenizer& gguf_pretokenizer(std::string_view name, std::string_view place);

/// The "pre_tokenizer" of tokenizer.json.
nlohmann::ordered_json pretokenizer_json(const GgufPreTokenizer& pretokenizer);

}  // namespace evenkeel
