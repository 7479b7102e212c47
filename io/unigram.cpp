#include "io/unigram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/byte_fallback.h"
#include "io/errors.h"
#include "io/token_trie.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr double unknown_penalty = 10;

class Unigram : public TokenModel {
 public:
  explicit Unigram(const ComponentSettings& settings);

  void append_ids(std::string_view word, Tokens& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  // How the best path arrives at a place in the word.
  struct Node {
    double score = 0;
    std::size_t begin = not_reached;  // of the token that ends here
    TokenId id = unknown;             // `unknown` also where the file has no unk_id
  };
  static constexpr std::size_t not_reached = SIZE_MAX;
  static constexpr TokenId unknown = -1;

  void read_vocabulary(const ComponentSettings& settings);
  void read_unknown(const ComponentSettings& settings);
  std::vector<Node> best_paths(std::string_view word) const;
  void append_stretch(std::string_view text, Tokens& ids) const;

  std::string where_;
  Vocabulary vocabulary_;
  TokenTrie trie_;
  std::vector<double> scores_;  // by id
  double unknown_score_ = 0;
  std::optional<TokenId> unknown_id_;
  std::optional<ByteFallback> byte_fallback_;
};

Unigram::Unigram(const ComponentSettings& settings) : where_(settings.path().string()) {
  read_vocabulary(settings);
  read_unknown(settings);
  if (settings.boolean("byte_fallback", false)) byte_fallback_.emplace(vocabulary_);
}

void Unigram::read_vocabulary(const ComponentSettings& settings) {
  const auto vocab = settings.document().find("vocab");
  if (vocab == settings.document().end() || !vocab->is_array() || vocab->empty()) {
    throw InputError(
        fmt::format("{}: 'vocab': expected a list of tokens and their scores", where_));
  }
  if (vocab->size() >= static_cast<std::size_t>(std::numeric_limits<TokenId>::max())) {
    throw InputError(fmt::format("{}: 'vocab': {} are too many", where_, vocab->size()));
  }
  for (const Json& entry : *vocab) {
    const auto id = static_cast<TokenId>(scores_.size());
    const std::string where = fmt::format("{}.vocab[{}]", where_, id);
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      throw InputError(fmt::format("{}: expected a token and its score, [\"a\", -2.5]", where));
    }
    const std::string& token = entry[0].get_ref<const std::string&>();
    const auto score = entry[1].get<double>();
    if (!std::isfinite(score)) throw InputError(fmt::format("{}: {} is not finite", where, score));
    if (token.empty()) throw InputError(fmt::format("{}: the token is empty", where));
    vocabulary_.add(token, id, where);
    trie_.add(token, id);
    scores_.push_back(score);
  }
  unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - unknown_penalty;
}

void Unigram::read_unknown(const ComponentSettings& settings) {
  if (!settings.has("unk_id")) return;
  unknown_id_ = token_id_of(settings.document().at("unk_id"), where_ + ".unk_id");
  if (*unknown_id_ >= vocabulary_.size()) {
    throw InputError(fmt::format("{}: 'unk_id': {} is not in the vocabulary of {}", where_,
                                 *unknown_id_, vocabulary_.size()));
  }
}

std::vector<Unigram::Node> Unigram::best_paths(std::string_view word) const {
  std::vector<Node> ends(word.size() + 1);
  std::vector<TokenTrie::Match> tokens;
  for (std::size_t begin = 0, next = 0; begin < word.size(); begin = next) {
    next = begin + utf8_size(word[begin]);
    const double so_far = ends[begin].score;
    const auto offer = [&](std::size_t end, double score, TokenId id) {
      Node& node = ends[end];
      if (node.begin == not_reached || so_far + score > node.score) {
        node = {so_far + score, begin, id};
      }
    };
    bool has_character = false;
    trie_.find_at(word, begin, tokens);
    for (const TokenTrie::Match& token : tokens) {
      offer(token.end, scores_[static_cast<std::size_t>(token.id)],
            token.id == unknown_id_ ? unknown : token.id);
      has_character = has_character || token.end == next;
    }
    if (!has_character) offer(next, unknown_score_, unknown);
  }
  return ends;
}

void Unigram::append_ids(std::string_view word, Tokens& ids) const {
  const std::vector<Node> ends = best_paths(word);
  std::vector<std::size_t> path;  // places where a token ends, last first
  for (std::size_t end = word.size(); end > 0; end = ends[end].begin) path.push_back(end);
  std::size_t stretch = 0;  // where the unknown text before `begin` begins
  std::size_t begin = 0;
  for (auto end = path.rbegin(); end != path.rend(); ++end) {
    const TokenId id = ends[*end].id;
    if (id != unknown) {
      if (stretch < begin) append_stretch(word.substr(stretch, begin - stretch), ids);
      ids.push_back(id);
      stretch = *end;
    }
    begin = *end;
  }
  if (stretch < begin) append_stretch(word.substr(stretch, begin - stretch), ids);
}

void Unigram::append_stretch(std::string_view text, Tokens& ids) const {
  if (!unknown_id_) {
    throw InputError(fmt::format("{}: the text has {}, which no token spells, and 'unk_id' is null",
                                 where_, in_quotes(text)));
  }
  const std::optional<TokenId> whole = vocabulary_.find(text);
  if (whole) {
    ids.push_back(*whole);
  } else if (!byte_fallback_ || !byte_fallback_->append_ids(text, ids)) {
    ids.push_back(*unknown_id_);
  }
}

}  // namespace

std::unique_ptr<const TokenModel> make_unigram(const ComponentSettings& settings,
                                               WordBytes word_bytes) {
  return for_words(std::make_unique<const Unigram>(settings), word_bytes);
}

}  // namespace evenkeel
