#include "io/word_piece.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "io/errors.h"
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
  // The longest token at the beginning of `rest`, and its bytes.
  std::optional<TokenId> longest(std::string_view rest, bool continues, std::size_t& bytes) const;

  Vocabulary vocabulary_;
  std::string prefix_;
  std::size_t longest_word_;   // in characters
  std::size_t longest_token_;  // in bytes
  TokenId unknown_;
};

WordPiece::WordPiece(const ComponentSettings& settings)
    : vocabulary_(vocabulary_of(settings)),
      prefix_(settings.text("continuing_subword_prefix", "##")),
      longest_word_(static_cast<std::size_t>(settings.positive("max_input_chars_per_word", 100))),
      longest_token_(0) {
  const std::string unknown = settings.text("unk_token", "[UNK]");
  const std::optional<TokenId> id = vocabulary_.find(unknown);
  if (!id) {
    throw InputError(fmt::format("{}: 'unk_token': {} is not in the vocabulary",
                                 settings.path().string(), in_quotes(unknown)));
  }
  unknown_ = *id;
  for (const auto& entry : settings.document().at("vocab").items()) {
    longest_token_ = std::max(longest_token_, entry.key().size());
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
    std::size_t bytes = 0;
    const std::optional<TokenId> id = longest(word.substr(begin), begin > 0, bytes);
    if (!id) return false;
    ids.push_back(*id);
    begin += bytes;
  }
  return true;
}

std::optional<TokenId> WordPiece::longest(std::string_view rest, bool continues,
                                          std::size_t& bytes) const {
  const std::size_t prefix = continues ? prefix_.size() : 0;
  std::string piece = continues ? prefix_ : "";
  piece += rest.substr(0, longest_token_);
  // A cut in the middle of a character is no token, as a vocabulary is of valid text.
  for (std::size_t size = std::min(piece.size(), longest_token_); size > prefix; --size) {
    const auto id = vocabulary_.find(std::string_view(piece).substr(0, size));
    if (id) {
      bytes = size - prefix;
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<const TokenModel> make_word_piece(const ComponentSettings& settings,
                                                  WordBytes word_bytes) {
  return for_words(std::make_unique<const WordPiece>(settings), word_bytes);
}

}  // namespace evenkeel
