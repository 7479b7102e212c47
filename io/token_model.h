// The model of a tokenizer: what turns one word into token ids.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/matrix.h"
#include "io/tokenizer_component.h"
#include "io/vocabulary.h"

namespace evenkeel {

/// How a word comes to the model.
enum class WordBytes {
  text,        // as it is: symbols are characters
  byte_level,  // each byte is to be read as its character of the byte-level alphabet
};

/// Called with each part of a word in turn. False asks for no more.
using PartSink = std::function<bool(std::string_view part)>;

/// Thread-safe after construction.
class TokenModel {
 public:
  TokenModel() = default;
  TokenModel(const TokenModel&) = delete;
  TokenModel& operator=(const TokenModel&) = delete;
  virtual ~TokenModel() = default;

  /// Appends the ids of `word` (not empty, UTF-8 or a part of it that a pre-tokenizer cut).
  virtual void append_ids(std::string_view word, Tokens& ids) const = 0;
  /// Gives the parts of `word` whose ids, one after the other, are those of the word: a whole text
  /// as one word is long, and its parts are alike. False when `sink` asked to stop.
  virtual bool split(std::string_view word, const PartSink& sink) const { return sink(word); }
  virtual const Vocabulary& vocabulary() const = 0;
};

/// The setting "vocab", {token: id}. Throws: InputError when it is missing, empty or malformed, or
/// gives an id twice.
Vocabulary vocabulary_of(const ComponentSettings& settings);

/// `model`, which knows words as text only, for words that come as `word_bytes`.
std::unique_ptr<const TokenModel> for_words(std::unique_ptr<const TokenModel> model,
                                            WordBytes word_bytes);

/// Throws: InputError when the type is not supported or its settings are wrong.
std::unique_ptr<const TokenModel> make_token_model(const ComponentSettings& settings,
                                                   WordBytes word_bytes);

}  // namespace evenkeel
