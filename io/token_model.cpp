#include "io/token_model.h"

#include <array>
#include <string>
#include <utility>

#include "io/bpe.h"
#include "io/byte_level.h"
#include "io/errors.h"
#include "io/unigram.h"
#include "io/word_piece.h"

namespace evenkeel {
namespace {

using Type = ComponentType<TokenModel, WordBytes>;

constexpr std::array types = {Type{"BPE", make_bpe}, Type{"Unigram", make_unigram},
                              Type{"WordPiece", make_word_piece}};

// Files older than the library's 0.9 do not name the type; merges are BPE's alone.
std::string type_of(const ComponentSettings& settings) {
  return settings.has("merges") ? settings.text("type", "BPE") : settings.text("type");
}

// Spells words in the byte-level alphabet for a model that knows text only.
class SpelledWords : public TokenModel {
 public:
  explicit SpelledWords(std::unique_ptr<const TokenModel> model) : model_(std::move(model)) {}

  void append_ids(std::string_view word, Tokens& ids) const override {
    model_->append_ids(to_byte_level(word), ids);
  }
  const Vocabulary& vocabulary() const override { return model_->vocabulary(); }

 private:
  std::unique_ptr<const TokenModel> model_;
};

}  // namespace

Vocabulary vocabulary_of(const ComponentSettings& settings) {
  const std::string where = settings.path().string();
  const auto vocab = settings.document().find("vocab");
  if (vocab == settings.document().end() || !vocab->is_object() || vocab->empty()) {
    throw InputError(fmt::format("{}: 'vocab': expected an object of tokens and their ids", where));
  }
  Vocabulary vocabulary;
  const std::string list = where + ".vocab";
  for (const auto& [token, id] : vocab->items()) {
    const std::string place = fmt::format("{}: {}", list, in_quotes(token));
    vocabulary.add(token, token_id_of(id, place), list);
  }
  return vocabulary;
}

std::unique_ptr<const TokenModel> for_words(std::unique_ptr<const TokenModel> model,
                                            WordBytes word_bytes) {
  if (word_bytes == WordBytes::text) return model;
  return std::make_unique<const SpelledWords>(std::move(model));
}

std::unique_ptr<const TokenModel> make_token_model(const ComponentSettings& settings,
                                                   WordBytes word_bytes) {
  return make_component(settings, type_of(settings), std::span<const Type>(types), word_bytes);
}

}  // namespace evenkeel
