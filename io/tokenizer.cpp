#include "io/tokenizer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "io/added_tokens.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/normalizer.h"
#include "io/post_processor.h"
#include "io/pretokenizer.h"
#include "io/strict_json.h"
#include "io/token_model.h"
#include "io/tokenizer_component.h"
#include "io/utf8.h"
#include "io/word_cache.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json read_document(const std::filesystem::path& path) {
  Json document = parse_json(path, MappedFile(path).text());
  if (!document.is_object()) {
    throw InputError(fmt::format("{}: expected a JSON object", path.string()));
  }
  const auto version = document.find("version");
  if (version != document.end() && !version->is_null() && *version != "1.0") {
    throw InputError(
        fmt::format("{}: 'version' is not \"1.0\", the only one known", path.string()));
  }
  return document;
}

template <class Component>
std::unique_ptr<const Component> optional_component(
    Json& document, const std::filesystem::path& path, std::string_view key,
    std::unique_ptr<const Component> (*make)(const ComponentSettings&)) {
  const std::optional<ComponentSettings> settings = take_component(document, path, key);
  return settings ? make(*settings) : nullptr;
}

std::unique_ptr<const TokenModel> required_model(Json& document, const std::filesystem::path& path,
                                                 const PreTokenizer* pretokenizer) {
  const std::optional<ComponentSettings> settings = take_component(document, path, "model");
  if (!settings) throw InputError(fmt::format("{}: 'model' is missing", path.string()));
  return make_token_model(*settings,
                          pretokenizer != nullptr ? pretokenizer->word_bytes() : WordBytes::text);
}

Json added_tokens_of(const Json& document) {
  const auto list = document.find("added_tokens");
  return list == document.end() ? Json() : *list;
}

}  // namespace

// Text flows down these in order, a piece at a time, so that a caller may stop early. What null
// means: no normalizer changes nothing, no pre-tokenizer leaves a text one word, no post-processor
// adds nothing. The file's truncation and padding are how its author called the library, not what
// a text means, and are left to the caller; the decoder is for the other direction.
struct Tokenizer::Pipeline {
  std::unique_ptr<const Normalizer> normalizer;
  std::unique_ptr<const PreTokenizer> pretokenizer;
  std::unique_ptr<const TokenModel> model;
  AddedTokens added;
  PostProcessor post;
  TokenId vocabulary_size;

  Pipeline(Json document, const std::filesystem::path& path)
      : normalizer(optional_component(document, path, "normalizer", make_normalizer)),
        pretokenizer(optional_component(document, path, "pre_tokenizer", make_pretokenizer)),
        model(required_model(document, path, pretokenizer.get())),
        added(added_tokens_of(document), path, model->vocabulary(), normalizer.get()),
        vocabulary_size(std::max(model->vocabulary().size(), added.size())) {
    const auto given = optional_component(document, path, "post_processor", make_post_processor);
    if (given) post = *given;
    for (const EncodingTemplate* parts : {&post.single, &post.pair}) {
      for (const EncodingPart& part : *parts) {
        if (part.id >= vocabulary_size) {
          throw InputError(fmt::format("{}: post_processor: id {} is not in the vocabulary of {}",
                                       path.string(), part.id, vocabulary_size));
        }
      }
    }
  }

  // Appends ids until `text` or `limit` of them is reached, perhaps a word's ids more.
  void encode(std::string_view text, std::size_t limit, Tokens& ids) const {
    if (const auto offset = first_invalid_utf8(text)) {
      throw InputError(fmt::format("the text is not valid UTF-8 at byte {}; convert it", *offset));
    }
    WordCache cache(text.size());
    const PartSink append_part = [&](std::string_view part) {
      if (!cache.append_known(part, ids)) {
        const std::size_t first = ids.size();
        model->append_ids(part, ids);
        cache.remember(part, first, ids);
      }
      return ids.size() < limit;
    };
    const WordSink append_word = [&](const Word& word) {
      // What a pre-tokenizer has cut is short enough.
      constexpr std::size_t long_word = 128;
      return word.text.size() < long_word ? append_part(word.text)
                                          : model->split(word.text, append_part);
    };
    bool opens = true;
    added.split(text, normalizer.get(), [&](const AddedTokens::Piece& piece) {
      const bool first = std::exchange(opens, false);
      if (const auto* id = std::get_if<TokenId>(&piece)) {
        ids.push_back(*id);
        return ids.size() < limit;
      }
      const Word words{std::get<std::string_view>(piece), first};
      return pretokenizer ? pretokenizer->split(words, append_word) : append_word(words);
    });
  }
};

Tokenizer::Tokenizer(const std::filesystem::path& tokenizer_json)
    : Tokenizer(read_document(tokenizer_json), tokenizer_json) {}

Tokenizer::Tokenizer(Json document, const std::filesystem::path& path)
    : pipeline_(std::make_unique<const Pipeline>(std::move(document), path)) {}

Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokens Tokenizer::encode(std::string_view text, bool special_tokens) const {
  Tokens ids;
  for (const EncodingPart& part : pipeline_->post.single) {
    if (part.kind == EncodingPart::Kind::first_text) {
      pipeline_->encode(text, SIZE_MAX, ids);
    } else if (special_tokens) {
      ids.push_back(part.id);
    }
  }
  return ids;
}

Tokens Tokenizer::encode_first(std::string_view text, std::size_t limit) const {
  Tokens ids;
  pipeline_->encode(text, limit, ids);
  if (ids.size() > limit) ids.resize(limit);
  return ids;
}

Encoding Tokenizer::encode_single(std::string_view text, std::size_t max_length) const {
  const EncodingTemplate& parts = pipeline_->post.single;
  return put_together(parts, encode_first(text, room_for_texts(parts, max_length)), {});
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                std::size_t max_length) const {
  const EncodingTemplate& parts = pipeline_->post.pair;
  if (parts.empty()) {
    throw InputError(
        "tokenizer.json: post_processor: 'pair' does not name A and B once each, so this tokenizer "
        "cannot encode two texts together");
  }
  const std::size_t room = room_for_texts(parts, max_length);
  Tokens first_ids = encode(first);
  Tokens second_ids = encode(second);
  truncate_longest_first(first_ids, second_ids, room);
  return put_together(parts, first_ids, second_ids);
}

TokenId Tokenizer::vocabulary_size() const { return pipeline_->vocabulary_size; }

bool Tokenizer::is_special(TokenId id) const { return pipeline_->added.is_special(id); }

}  // namespace evenkeel
