// Pre-tokenizers: what splits a text into the words that the model sees one by one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "io/token_model.h"
#include "io/tokenizer_component.h"

namespace evenkeel {

/// A stretch of text on its way to the model.
struct Word {
  std::string_view text;
  bool opens = false;  // the text given to `encode` begins with it

  /// The bytes from `begin` to `end`.
  Word part(std::size_t begin, std::size_t end) const {
    return {text.substr(begin, end - begin), opens && begin == 0};
  }
};

/// Called with each word in turn; its text lives only as long as the call. False asks for no more.
using WordSink = std::function<bool(const Word& word)>;

/// Thread-safe after construction.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;
  virtual ~PreTokenizer() = default;

  /// Gives the words of `text` (none empty) to `sink` as they are found; false when it asked to
  /// stop. REQUIRES: valid UTF-8, not empty.
  virtual bool split(const Word& text, const WordSink& sink) const = 0;
  /// What the words are to the model.
  virtual WordBytes word_bytes() const { return WordBytes::text; }
};

/// Throws: InputError when the type is not supported, a setting is wrong, or a Sequence has more
/// than 64 steps.
std::unique_ptr<const PreTokenizer> make_pretokenizer(const ComponentSettings& settings);

}  // namespace evenkeel
