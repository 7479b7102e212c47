#include "io/added_tokens.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/json_reader.h"
#include "io/one_line.h"
#include "io/tokenizer_component.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// Where the white space that ends at `end` begins, not before `low`.
std::size_t white_space_before(std::string_view text, std::size_t end, std::size_t low) {
  while (end > low) {
    const std::size_t before = utf8_before(text, end);
    if (before < low || !is_white_space(utf8_at(text, before))) break;
    end = before;
  }
  return end;
}

std::size_t white_space_after(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_white_space(utf8_at(text, begin))) {
    begin += utf8_size(text[begin]);
  }
  return begin;
}

}  // namespace

AddedTokens::AddedTokens(const nlohmann::ordered_json& list, const std::filesystem::path& path,
                         const Vocabulary& model, const Normalizer* normalizer)
    : word_character_(fmt::format("[{}]", word_characters), path.string()) {
  if (list.is_null()) return;
  if (!list.is_array()) {
    throw InputError(fmt::format("{}: 'added_tokens': expected a list", path.string()));
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{}: added_tokens[{}]", path.string(), i);
    add(read(list[i], where), model, normalizer, where);
  }
}

AddedTokens::Token AddedTokens::read(const nlohmann::ordered_json& json, const std::string& where) {
  const JsonReader entry(where, json);
  Token token;
  token.content = entry.text("content");
  if (token.content.empty()) throw InputError(fmt::format("{}: 'content' is empty", where));
  const auto id = json.find("id");
  if (id == json.end()) throw InputError(fmt::format("{}: 'id' is missing", where));
  token.id = token_id_of(*id, where + ": 'id'");
  token.single_word = entry.boolean("single_word");
  token.strips_left = entry.boolean("lstrip");
  token.strips_right = entry.boolean("rstrip");
  token.normalized = entry.boolean("normalized");
  token.special = entry.boolean("special");
  return token;
}

void AddedTokens::add(const Token& token, const Vocabulary& model, const Normalizer* normalizer,
                      const std::string& where) {
  const auto next = static_cast<TokenId>(model.tokens());
  const TokenId expected = model.find(token.content).value_or(size_ > next ? size_ : next);
  if (token.id != expected) {
    throw InputError(
        fmt::format("{}: token {} has id {}, but by the vocabulary and the tokens "
                    "before it its id is {}; correct the file",
                    where, in_quotes(token.content), token.id, expected));
  }
  if (!tokens_.emplace(token.id, token).second) {
    throw InputError(fmt::format("{}: token {} has id {}, which an added token before it has",
                                 where, in_quotes(token.content), token.id));
  }
  size_ = std::max(size_, token.id + 1);
  if (!token.normalized) {
    raw_.add(token.content, token.id);
  } else {
    const std::string content =
        normalizer != nullptr ? normalizer->normalized(token.content) : token.content;
    if (content.empty()) return;
    std::vector<TokenTrie::Match> alike;
    normalized_.find_at(content, 0, alike);
    if (!alike.empty() && alike.back().end == content.size()) {
      // The library chooses at random.
      throw InputError(
          fmt::format("{}: token {} is {} when normalized, and so is the token of id "
                      "{}; make one of them not 'normalized'",
                      where, in_quotes(token.content), in_quotes(content), alike.back().id));
    }
    normalized_.add(content, token.id);
  }
}

bool AddedTokens::split(std::string_view text, const Normalizer* normalizer,
                        const PieceSink& sink) const {
  const auto split_rest = [&](const Piece& piece) {
    const auto* rest = std::get_if<std::string_view>(&piece);
    if (rest == nullptr) return sink(piece);
    if (normalizer == nullptr) return split_by(normalized_, *rest, sink);
    return split_by(normalized_, normalizer->normalized(*rest), sink);
  };
  return split_by(raw_, text, split_rest);
}

bool AddedTokens::split_by(const TokenTrie& trie, std::string_view text,
                           const PieceSink& sink) const {
  std::size_t done = 0;         // text before this belongs to a piece
  std::size_t search_from = 0;  // lags behind `done` where a token stripped white space
  while (const std::optional<TokenTrie::Match> match = trie.find(text, search_from)) {
    search_from = match->end;
    const Token& token = tokens_.at(match->id);
    if (token.single_word && inside_word(text, *match)) continue;
    const std::size_t begin =
        token.strips_left ? white_space_before(text, match->begin, done) : match->begin;
    if (done < begin && !sink(text.substr(done, begin - done))) return false;
    if (!sink(token.id)) return false;
    done = token.strips_right ? white_space_after(text, match->end) : match->end;
  }
  return done >= text.size() || sink(text.substr(done));
}

bool AddedTokens::inside_word(std::string_view text, const TokenTrie::Match& match) const {
  return (match.begin > 0 && is_word_character(text, utf8_before(text, match.begin))) ||
         (match.end < text.size() && is_word_character(text, match.end));
}

bool AddedTokens::is_word_character(std::string_view text, std::size_t offset) const {
  return RegexScanner(word_character_, text.substr(offset, utf8_size(text[offset])))
      .next()
      .has_value();
}

bool AddedTokens::is_special(TokenId id) const {
  const auto found = tokens_.find(id);
  return found != tokens_.end() && found->second.special;
}

}  // namespace evenkeel
