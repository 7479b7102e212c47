#include "io/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/gguf_merges.h"
#include "io/gguf_pretokenizers.h"
#include "io/one_line.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view model_key = "tokenizer.ggml.model";
constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";
constexpr std::string_view scores_key = "tokenizer.ggml.scores";
constexpr std::string_view merges_key = "tokenizer.ggml.merges";
constexpr std::string_view pre_key = "tokenizer.ggml.pre";
constexpr std::string_view space_key = "tokenizer.ggml.add_space_prefix";
constexpr std::string_view space = "\u2581";  // SentencePiece's sign for it

// Values of token_type that matter here.
constexpr double unknown_type = 2;
constexpr double control_type = 3;
constexpr double user_type = 4;

class Vocabulary {
 public:
  explicit Vocabulary(const GgufFile& file) : file_(file) {
    auto tokens = file.texts(tokens_key);
    if (!tokens) file.missing(tokens_key);
    tokens_ = std::move(*tokens);
    std::unordered_set<std::string_view> known;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (first_invalid_utf8(tokens_[i])) fail(i, "is not UTF-8");
      if (!known.insert(tokens_[i]).second) fail(i, "is there twice");
    }
  }

  const std::vector<std::string_view>& tokens() const { return tokens_; }

  Json vocab() const {
    Json::object_t vocab;  // filled by position: adding by key would be quadratic
    vocab.reserve(tokens_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) vocab.emplace_back(std::string(tokens_[i]), i);
    return vocab;
  }

  /// One for each token.
  std::vector<double> numbers(std::string_view key) const {
    auto numbers = file_.numbers(key);
    if (!numbers) file_.missing(key);
    const bool finite = std::ranges::all_of(*numbers, [](double x) { return std::isfinite(x); });
    if (numbers->size() != tokens_.size() || !finite) {
      file_.refuse(key, fmt::format("{} finite numbers, one for each token", tokens_.size()));
    }
    return *numbers;
  }

  /// The token whose id is the value of `key`; nothing when there is no such key.
  std::optional<std::size_t> id(std::string_view key) const {
    const auto id = file_.integer(key);
    if (!id) return std::nullopt;
    if (*id < 0 || static_cast<std::size_t>(*id) >= tokens_.size()) {
      file_.refuse(key, fmt::format("the id of one of {} tokens", tokens_.size()));
    }
    return static_cast<std::size_t>(*id);
  }

  Json added_tokens() const {
    Json added = Json::array();
    if (file_.find(types_key) == nullptr) return added;
    const std::vector<double> types = numbers(types_key);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const bool special = types[i] == control_type || types[i] == unknown_type;
      if ((!special && types[i] != user_type) || tokens_[i].empty()) continue;
      added.push_back({{"id", i},
                       {"content", tokens_[i]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", special}});
    }
    return added;
  }

  /// The template that adds the begin and end of a text where the file asks for it; null for none.
  Json post_processor(bool begins, bool ends) const {
    Json single = Json::array();
    Json special = Json::object();
    const auto add = [&](std::string_view key) {
      const auto number = id(key);
      if (!number) file_.missing(key);
      const std::string token(tokens_[*number]);
      single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
      special[token] = {{"id", token}, {"ids", {*number}}, {"tokens", {token}}};
    };
    if (file_.boolean("tokenizer.ggml.add_bos_token").value_or(begins)) {
      add("tokenizer.ggml.bos_token_id");
    }
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    if (file_.boolean("tokenizer.ggml.add_eos_token").value_or(ends)) {
      add("tokenizer.ggml.eos_token_id");
    }
    if (special.empty()) return nullptr;
    Json pair = single;
    for (Json piece : single) {
      if (piece.contains("Sequence")) piece["Sequence"]["id"] = "B";
      piece.front()["type_id"] = 1;
      pair.push_back(std::move(piece));
    }
    return {{"type", "TemplateProcessing"},
            {"single", single},
            {"pair", pair},
            {"special_tokens", special}};
  }

 private:
  [[noreturn]] void fail(std::size_t token, std::string_view what) const {
    throw InputError(fmt::format("{}: metadata '{}': token {} ({}) {}; convert the model again",
                                 file_.path().string(), tokens_key, token,
                                 in_quotes(tokens_[token]), what));
  }

  const GgufFile& file_;
  std::vector<std::string_view> tokens_;
};

// The members of tokenizer.json in their usual order, those of every model first.
Json document_of(const Vocabulary& vocabulary) {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", vocabulary.added_tokens()}};
}

Json byte_level_bpe(const GgufFile& file) {
  const Vocabulary vocabulary(file);
  const GgufPreTokenizer& pretokenizer =
      gguf_pretokenizer(file.text(pre_key).value_or("default"),
                        fmt::format("{}: metadata '{}'", file.path().string(), pre_key));
  const auto stored = file.texts(merges_key);
  if (!stored) file.missing(merges_key);
  Json merges = Json::array();
  for (const std::string_view merge : *stored) {
    // The first byte may be a space of the token itself.
    const std::size_t gap = merge.find(' ', 1);
    if (merge.empty() || gap == std::string_view::npos || first_invalid_utf8(merge)) {
      throw InputError(
          fmt::format("{}: metadata '{}': {} is not two tokens with a space between "
                      "them; convert the model again",
                      file.path().string(), merges_key, in_quotes(merge)));
    }
    merges.push_back({merge.substr(0, gap), merge.substr(gap + 1)});
  }
  Json document = document_of(vocabulary);
  document["normalizer"] = pretokenizer.composes ? Json{{"type", "NFC"}} : Json(nullptr);
  document["pre_tokenizer"] = pretokenizer_json(pretokenizer);
  document["post_processor"] = vocabulary.post_processor(pretokenizer.begins_text, false);
  document["decoder"] = {{"type", "ByteLevel"},
                         {"add_prefix_space", true},
                         {"trim_offsets", true},
                         {"use_regex", true}};
  document["model"] = {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", pretokenizer.whole_words},
                       {"vocab", vocabulary.vocab()},
                       {"merges", std::move(merges)}};
  return document;
}

Json sentencepiece_bpe(const GgufFile& file) {
  const Vocabulary vocabulary(file);
  const std::vector<double> scores = vocabulary.numbers(scores_key);
  Json merges = Json::array();
  for (const GgufMerge& merge : gguf_merges(vocabulary.tokens(), scores)) {
    merges.push_back({merge.left, merge.right});
  }
  const std::size_t unknown = vocabulary.id("tokenizer.ggml.unknown_token_id").value_or(0);
  const bool prefix = file.boolean(space_key).value_or(true);
  Json steps = Json::array();
  if (prefix) steps.push_back({{"type", "Prepend"}, {"prepend", space}});
  steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}});
  Json decoders{{{"type", "Replace"}, {"pattern", {{"String", space}}}, {"content", " "}},
                {{"type", "ByteFallback"}},
                {{"type", "Fuse"}}};
  if (prefix) {
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  Json document = document_of(vocabulary);
  document["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
  document["pre_tokenizer"] = nullptr;
  document["post_processor"] = vocabulary.post_processor(true, false);
  document["decoder"] = {{"type", "Sequence"}, {"decoders", decoders}};
  document["model"] = {
      {"type", "BPE"},
      {"dropout", nullptr},
      {"unk_token",
       vocabulary.tokens().empty() ? Json(nullptr) : Json(vocabulary.tokens()[unknown])},
      {"continuing_subword_prefix", nullptr},
      {"end_of_word_suffix", nullptr},
      {"fuse_unk", true},
      {"byte_fallback", true},
      {"ignore_merges", false},
      {"vocab", vocabulary.vocab()},
      {"merges", std::move(merges)}};
  return document;
}

struct Model {
  std::string_view name;
  Json (*document)(const GgufFile& file);
};
constexpr std::array models{Model{"gpt2", byte_level_bpe}, Model{"llama", sentencepiece_bpe}};

}  // namespace

bool has_tokenizer(const GgufFile& file) { return file.find(model_key) != nullptr; }

Json gguf_tokenizer(const GgufFile& file) {
  const auto name = file.text(model_key);
  if (!name) file.missing(model_key);
  std::string supported;
  for (const Model& model : models) {
    if (model.name == *name) return model.document(file);
    supported += fmt::format("{}{}", supported.empty() ? "" : ", ", model.name);
  }
  throw InputError(fmt::format("{}: metadata '{}': {} is not supported; supported: {}",
                               file.path().string(), model_key, in_quotes(*name), supported));
}

}  // namespace evenkeel
