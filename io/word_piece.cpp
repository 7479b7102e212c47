#include "io/word_piece.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/token_trie.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

std::size_t characters_of(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) ++characters;
  return characters;
}

class WordPiece : public TokenModel {
 public:
  explicit WordPiece(const ComponentSettings& settings);

  void append_ids(std::string_view word, Tokens& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  bool append_pieces(std::string_view word, Tokens& ids) const;

  Vocabulary vocabulary_;
  TokenTrie tokens_;
  std::string prefix_;
  std::size_t longest_word_;  // in characters
  TokenId unknown_;
};

WordPiece::WordPiece(const ComponentSettings& settings)
    : vocabulary_(vocabulary_of(settings)),
      prefix_(settings.text("continuing_subword_prefix", "##")),
      longest_word_(static_cast<std::size_t>(settings.positive("max_input_chars_per_word", 100))) {
  const std::string unknown = settings.text("unk_token", "[UNK]");
  const std::optional<TokenId> id = vocabulary_.find(unknown);
  if (!id) {
    throw InputError(fmt::format("{}: 'unk_token': {} is not in the vocabulary",
                                 settings.path().string(), in_quotes(unknown)));
  }
  unknown_ = *id;
  for (const auto& [token, token_id] : settings.document().at("vocab").items()) {
    if (!token.empty()) tokens_.add(token, token_id.get<TokenId>());
  }
}

void WordPiece::append_ids(std::string_view word, Tokens& ids) const {
  const std::size_t before = ids.size();
  if (characters_of(word) > longest_word_ || !append_pieces(word, ids)) {
    ids.resize(before);
    ids.push_back(unknown_);
  }
}

bool WordPiece::append_pieces(std::string_view word, Tokens& ids) const {
  for (std::size_t begin = 0; begin < word.size();) {
    // A cut in the middle of a character is no token, as a vocabulary is of valid text.
    const auto longest = tokens_.longest_at(word, begin, begin > 0 ? prefix_ : std::string_view());
    if (!longest) return false;
    ids.push_back(longest->id);
    begin = longest->end;
  }
  return true;
}

}  // namespace

std::unique_ptr<const TokenModel> make_word_piece(const ComponentSettings& settings,
                                                  WordBytes word_bytes) {
  return for_words(std::make_unique<const WordPiece>(settings), word_bytes);
}

}  // namespace evenkeel
