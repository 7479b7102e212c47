// The added tokens of tokenizer.json: strings that are found in the text before it is split into
// words, each becoming one id whatever the model would make of it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include <nlohmann/json.hpp>

#include "io/matrix.h"
#include "io/normalizer.h"
#include "io/regex.h"
#include "io/token_trie.h"
#include "io/vocabulary.h"

namespace evenkeel {

/// Thread-safe after construction.
class AddedTokens {
 public:
  /// `list` is the value of "added_tokens" (null: none). `model` is the model's vocabulary,
  /// `normalizer` may be null; neither is kept.
  /// Throws: InputError when the list is malformed, names a token twice, has two that are the same
  /// when normalized, or gives one an id other than that which the `tokenizers` library gives it
  /// (the model's, or the next after the vocabulary): such a file means one thing here and another
  /// there.
  AddedTokens(const nlohmann::ordered_json& list, const std::filesystem::path& path,
              const Vocabulary& model, const Normalizer* normalizer);

  /// A stretch of text without added tokens (not empty), or an added token's id.
  using Piece = std::variant<std::string_view, TokenId>;
  /// False asks for no more pieces. A piece's text lives only as long as the call.
  using PieceSink = std::function<bool(const Piece& piece)>;

  /// Gives the pieces of `text` to `sink`, normalized where `normalizer` is not null: first tokens
  /// that are not `normalized` are found in the text itself, then the others in what is left, as
  /// normalized. A token takes the white space beside it when it strips, and is no token when it
  /// is a `single_word` inside a larger one. False when `sink` asked to stop.
  bool split(std::string_view text, const Normalizer* normalizer, const PieceSink& sink) const;

  bool is_special(TokenId id) const;
  /// One more than the largest id; 0 when there is none.
  TokenId size() const { return size_; }

 private:
  struct Token {
    std::string content;
    TokenId id = 0;
    bool single_word = false;
    bool strips_left = false;
    bool strips_right = false;
    bool normalized = false;
    bool special = false;
  };
  static Token read(const nlohmann::ordered_json& entry, const std::string& where);
  void add(const Token& token, const Vocabulary& model, const Normalizer* normalizer,
           const std::string& where);
  bool split_by(const TokenTrie& trie, std::string_view text, const PieceSink& sink) const;
  bool inside_word(std::string_view text, const TokenTrie::Match& match) const;
  bool is_word_character(std::string_view text, std::size_t offset) const;

  std::unordered_map<TokenId, Token> tokens_;
  TokenTrie raw_;         // tokens found in the text itself
  TokenTrie normalized_;  // tokens found in the normalized text
  Regex word_character_;
  TokenId size_ = 0;
};

}  // namespace evenkeel
