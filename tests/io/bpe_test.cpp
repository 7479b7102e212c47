#include "io/bpe.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json small_model() {
  return {{"type", "BPE"},
          {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"abab", 3}, {"<unk>", 4}, {"Ġ", 5}}},
          {"merges", {"a b", "ab ab"}}};
}

Tokens encode(const Json& model, std::string_view word, WordBytes bytes = WordBytes::text) {
  Tokens ids;
  make_bpe(ComponentSettings("t.json: model", model), bytes)->append_ids(word, ids);
  return ids;
}

// The message of the error that `change` to a good model causes.
std::string fault(const std::function<void(Json&)>& change) {
  Json model = small_model();
  change(model);
  try {
    encode(model, "ab");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Bpe, MergesByRank) { EXPECT_EQ(encode(small_model(), "abababa"), (Tokens{3, 2, 0})); }

TEST(Bpe, MergesAreStringsOrPairs) {
  Json model = small_model();
  model["merges"] = Json::array({{"a", "b"}, {"ab", "ab"}});
  EXPECT_EQ(encode(model, "abab"), Tokens{3});
}

TEST(Bpe, IgnoreMergesTakesAWholeWordFromTheVocabulary) {
  Json model = small_model();
  model["vocab"]["Ġba"] = 6;
  EXPECT_EQ(encode(model, " ba", WordBytes::byte_level), (Tokens{5, 1, 0}));
  model["ignore_merges"] = true;
  EXPECT_EQ(encode(model, " ba", WordBytes::byte_level), Tokens{6});
  EXPECT_EQ(encode(model, " bab", WordBytes::byte_level), (Tokens{5, 1, 2}));
}

TEST(Bpe, UnknownSymbolsAreLeftOutOrNamedOrFused) {
  Json model = small_model();
  EXPECT_EQ(encode(model, "aéßb"), (Tokens{2}));
  model["unk_token"] = "<unk>";
  EXPECT_EQ(encode(model, "aéßb"), (Tokens{0, 4, 4, 1}));
  model["fuse_unk"] = true;
  EXPECT_EQ(encode(model, "aéßb"), (Tokens{0, 4, 1}));
}

TEST(Bpe, ByteFallbackSpellsUnknownSymbols) {
  Json model = small_model();
  model["unk_token"] = "<unk>";
  model["byte_fallback"] = true;
  model["vocab"]["<0xC3>"] = 6;
  model["vocab"]["<0xA9>"] = 7;
  EXPECT_EQ(encode(model, "aéß"), (Tokens{0, 6, 7, 4}));  // é is C3 A9, ß is C3 9F
}

TEST(Bpe, AnUnknownTokenThatIsMissingIsAFaultWhenNeeded) {
  Json model = small_model();
  model["unk_token"] = "?";
  EXPECT_EQ(encode(model, "ab"), Tokens{2});
  EXPECT_THROW(encode(model, "é"), InputError);
}

// A word of a million symbols would take hours if merging were quadratic.
TEST(Bpe, AVeryLongWordIsMerged) {
  std::string word;
  for (int i = 0; i < 500000; ++i) word += "ab";
  EXPECT_EQ(encode(small_model(), word), Tokens(250000, 3));
}

Tokens encode_by_parts(const TokenModel& model, std::string_view word, std::size_t& parts) {
  Tokens ids;
  model.split(word, [&](std::string_view part) {
    ++parts;
    model.append_ids(part, ids);
    return true;
  });
  return ids;
}

TEST(Bpe, PartsAreCutWhereNoMergeReaches) {
  Json model = small_model();
  model["vocab"]["▁"] = 6;
  model["vocab"]["▁ab"] = 7;
  model["merges"].push_back("▁ ab");
  const auto bpe = make_bpe(ComponentSettings("t.json: model", model), WordBytes::text);
  std::vector<std::string> parts;
  bpe->split("▁abba▁é▁bb", [&](std::string_view part) {
    parts.emplace_back(part);
    return parts.size() < 4;
  });
  // Not between b and a, as in abab; not beside é, which is no symbol; no more than asked for.
  EXPECT_EQ(parts, (std::vector<std::string>{"▁ab", "ba", "▁é▁", "b"}));
}

// Merges drawn from the tokens there are, over texts with characters that are no symbols.
TEST(Bpe, PartsGiveTheIdsOfTheWhole) {
  std::mt19937 engine(3);
  const std::vector<std::string> characters{"a", "b", "c", "▁", "é", "<"};
  std::size_t parts = 0;
  for (int round = 0; round < 200; ++round) {
    Json model = {{"type", "BPE"}, {"vocab", {{"<unk>", 0}, {"<0xC3>", 1}}}, {"merges", {}}};
    model["merges"] = Json::array();
    model["fuse_unk"] = round % 2 == 0;
    if (round % 3 != 0) model["unk_token"] = "<unk>";
    model["byte_fallback"] = round % 5 == 0;
    std::vector<std::string> tokens{"a", "b", "▁", "<"};
    if (round % 7 == 0) tokens.emplace_back("<0xC3>");
    for (const std::string& token : tokens) model["vocab"].emplace(token, model["vocab"].size());
    const auto drawn = [&](const std::vector<std::string>& from) {
      return from[std::uniform_int_distribution<std::size_t>(0, from.size() - 1)(engine)];
    };
    for (int i = 0; i < 6; ++i) {
      const std::string left = drawn(tokens);
      const std::string right = drawn(tokens);
      tokens.push_back(left + right);
      model["vocab"].emplace(tokens.back(), model["vocab"].size());
      model["merges"].push_back({left, right});
    }
    std::string word;
    for (int i = 0; i < 100; ++i) word += drawn(characters);
    const auto bpe = make_bpe(ComponentSettings("t.json: model", model), WordBytes::text);
    Tokens whole;
    bpe->append_ids(word, whole);
    EXPECT_EQ(encode_by_parts(*bpe, word, parts), whole) << model << ' ' << word;
  }
  EXPECT_GT(parts, 200 * 5U);
}

TEST(BpeFaults, NameTheirPlace) {
  EXPECT_EQ(fault([](Json& m) { m["vocab"]["c"] = -1; }),
            "t.json: model.vocab: 'c': expected a token id in [0, 2147483646], got -1");
  EXPECT_EQ(fault([](Json& m) { m["vocab"]["c"] = 2147483647; }),
            "t.json: model.vocab: 'c': expected a token id in [0, 2147483646], got 2147483647");
  EXPECT_EQ(fault([](Json& m) { m["vocab"]["c"] = 18446744073709551615U; }),
            "t.json: model.vocab: 'c': expected a token id in [0, 2147483646], got "
            "18446744073709551615");
  EXPECT_EQ(fault([](Json& m) { m["vocab"]["c"] = 1.5; }),
            "t.json: model.vocab: 'c': expected a token id in [0, 2147483646], got 1.5");
  EXPECT_EQ(fault([](Json& m) { m["vocab"]["c"] = 0; }),
            "t.json: model.vocab: token 'c' has id 0, which another token has already");
  EXPECT_EQ(fault([](Json& m) { m["merges"].push_back("a c"); }),
            "t.json: model.merges[2]: 'c' is not in the vocabulary");
  EXPECT_EQ(fault([](Json& m) { m["merges"].push_back("b a"); }),
            "t.json: model.merges[2]: 'ba' is not in the vocabulary");
  for (const Json& merge :
       {Json("ab"), Json("a b c"), Json(3), Json::array({"a"}), Json::array({"a", 1}), Json()}) {
    EXPECT_EQ(fault([&merge](Json& m) { m["merges"].push_back(merge); }),
              "t.json: model.merges[2]: expected a merge, \"a b\" or [\"a\", \"b\"]");
  }
}

TEST(BpeFaults, MissingOrWrongSettings) {
  EXPECT_EQ(fault([](Json& m) { m.erase("vocab"); }),
            "t.json: model: 'vocab': expected an object of tokens and their ids");
  EXPECT_EQ(fault([](Json& m) { m["vocab"] = Json::array(); }),
            "t.json: model: 'vocab': expected an object of tokens and their ids");
  EXPECT_EQ(fault([](Json& m) { m.erase("merges"); }), "t.json: model: 'merges': expected a list");
  EXPECT_EQ(fault([](Json& m) { m["dropout"] = 0.1; }),
            "t.json: model: 'dropout' is not supported; only null is");
  EXPECT_EQ(fault([](Json& m) { m["end_of_word_suffix"] = "</w>"; }),
            "t.json: model: 'end_of_word_suffix' is not supported; only null is");
  EXPECT_NE(fault([](Json& m) { m["fuse_unk"] = "yes"; }).find("'fuse_unk'"), std::string::npos);
  EXPECT_EQ(fault([](Json& m) { m["continuing_subword_prefix"] = ""; }), "no error");
}

}  // namespace
}  // namespace evenkeel
