#include "io/tokenizer_component.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "io/tokenizer.h"
#include "support/scratch_folder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

using nlohmann::json;

json sequence(const char* steps, const json& list) { return {{"type", "Sequence"}, {steps, list}}; }

const json split = {{"type", "Split"},
                    {"pattern", {{"Regex", R"((?i:'s)|\p{L}+|[^\s\w]{1,3}|\s+(?!\S))"}}},
                    {"behavior", "MergedWithNext"},
                    {"invert", false}};
const json metaspace = {{"type", "Metaspace"},
                        {"replacement", "_"},
                        {"prepend_scheme", "first"},
                        {"add_prefix_space", true},
                        {"split", true}};
const json bert_normalizer = {{"type", "BertNormalizer"},
                              {"clean_text", true},
                              {"handle_chinese_chars", true},
                              {"strip_accents", nullptr},
                              {"lowercase", true}};

json document(const json& model, const json& normalizer, const json& pre_tokenizer,
              const json& post_processor) {
  json token = support::added_token(3, "<s>");
  token["lstrip"] = true;
  return {{"version", "1.0"},
          {"added_tokens", json::array({token})},
          {"normalizer", normalizer},
          {"pre_tokenizer", pre_tokenizer},
          {"post_processor", post_processor},
          {"model", model}};
}

// Together they have every component that is supported.
std::vector<json> documents() {
  const json bpe = {{"type", "BPE"},
                    {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}},
                    {"merges", {"a b"}},
                    {"unk_token", "a"},
                    {"byte_fallback", true}};
  const json word_piece = {{"type", "WordPiece"},
                           {"vocab", {{"[UNK]", 0}, {"a", 1}, {"##b", 2}}},
                           {"unk_token", "[UNK]"},
                           {"continuing_subword_prefix", "##"},
                           {"max_input_chars_per_word", 9}};
  const json unigram = {
      {"type", "Unigram"},
      {"vocab", json::array({json::array({"<unk>", 0.0}), json::array({"a", -1.5}),
                             json::array({"_b", -2.5})})},
      {"unk_id", 0},
      {"byte_fallback", false}};
  const json piece = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const json first = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const json second = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}};
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "_"}};
  return {
      document(bpe,
               sequence("normalizers", {{{"type", "Prepend"}, {"prepend", "_"}},
                                        replace,
                                        {{"type", "NFKC"}},
                                        {{"type", "StripAccents"}}}),
               sequence("pretokenizers",
                        {{{"type", "Digits"}, {"individual_digits", true}}, split, bytes}),
               sequence("processors", {bytes,
                                       {{"type", "TemplateProcessing"},
                                        {"single", {piece, first}},
                                        {"pair", {piece, first, second}},
                                        {"special_tokens", {{"<s>", {{"ids", {3}}}}}}}})),
      document(word_piece, bert_normalizer, {{"type", "BertPreTokenizer"}},
               {{"type", "BertProcessing"}, {"sep", {"a", 1}}, {"cls", {"<s>", 3}}}),
      document(unigram, {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}},
               sequence("pretokenizers", {{{"type", "Punctuation"}, {"behavior", "Isolated"}},
                                          {{"type", "WhitespaceSplit"}},
                                          metaspace}),
               {{"type", "RobertaProcessing"}, {"sep", {"a", 1}}, {"cls", {"<s>", 3}}}),
  };
}

// What stands where it should not; the last ones are apt to be taken for a size or an index.
std::vector<json> hostile_values() {
  std::vector<json> values = {nullptr,
                              true,
                              "",
                              "x",
                              "(",
                              "[",
                              "\\",
                              json::array(),
                              json::object(),
                              json::array({json::array({json::array()})}),
                              0.5,
                              1e308};
  for (const auto number :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{2147483646}, std::int64_t{2147483647},
        std::int64_t{4294967296}, std::numeric_limits<std::int64_t>::max()}) {
    values.emplace_back(number);
  }
  values.emplace_back(std::numeric_limits<std::uint64_t>::max());
  return values;
}

// Where each value of `document` is, and what holds it.
std::set<std::string> places(const json& document) {
  std::set<std::string> all;
  const json leaves = document.flatten();
  for (const auto& leaf : leaves.items()) {
    for (json::json_pointer at(leaf.key()); !at.empty(); at.pop_back()) all.insert(at.to_string());
  }
  return all;
}

class HostileTokenizer : public testing::Test {
 protected:
  // True when `document` is a tokenizer. Throws nothing but what says what is wrong.
  bool works(const json& document) const {
    constexpr std::string_view text = "ab \xC3\xA9 12's  <s>.\n\xE4\xB8\x80 zab";
    const std::filesystem::path path = folder_ / "tokenizer.json";
    support::write_json(path, document);
    try {
      const Tokenizer tokenizer(path);
      const Encoding pair = tokenizer.encode_pair(text, "ba", 9);
      EXPECT_LE(pair.ids.size(), 9U);
      EXPECT_EQ(pair.ids.size(), pair.types.size());
      for (const TokenId id : tokenizer.encode(text, true)) {
        EXPECT_GE(id, 0);
        EXPECT_LT(id, tokenizer.vocabulary_size());
      }
      return true;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
      return false;
    }
  }

 private:
  support::ScratchFolder folder_;
};

TEST_F(HostileTokenizer, EveryValueReplacedIsRefusedOrHarmless) {
  for (const json& whole : documents()) {
    ASSERT_TRUE(works(whole)) << whole;
    int refused = 0;
    for (const std::string& place : places(whole)) {
      for (const json& hostile : hostile_values()) {
        json changed = whole;
        changed[json::json_pointer(place)] = hostile;
        SCOPED_TRACE(changed.dump());
        refused += works(changed) ? 0 : 1;
      }
    }
    EXPECT_GT(refused, 100);
  }
}

TEST_F(HostileTokenizer, EveryKeyLeftOutIsRefusedOrHarmless) {
  for (const json& whole : documents()) {
    for (const std::string& place : places(whole)) {
      const json::json_pointer at(place);
      json changed = whole;
      json& holder = changed[at.parent_pointer()];
      if (!holder.is_object()) continue;
      holder.erase(at.back());
      SCOPED_TRACE(changed.dump());
      works(changed);
    }
  }
}

}  // namespace
}  // namespace evenkeel
