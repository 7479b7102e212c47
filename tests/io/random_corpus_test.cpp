#include "io/random_corpus.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/scratch_folder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

Tokenizer made(const nlohmann::json& document) {
  const support::ScratchFolder folder;
  support::write_json(folder / "tokenizer.json", document);
  return Tokenizer(folder / "tokenizer.json");
}

TEST(RandomCorpus, AsciiIsPunctuationAndWhiteSpaceInEqualParts) {
  // Without merges of its characters, each is the id of its byte.
  const Tokenizer tokenizer = made(support::tiny_tokenizer());
  constexpr std::size_t count = 38000;
  const Tokens ids = random_ascii_tokens(count, 0, tokenizer);
  ASSERT_EQ(ids.size(), count);
  std::map<TokenId, int> seen;
  for (const TokenId id : ids) ++seen[id];
  EXPECT_EQ(seen.size(), 38U);
  for (const auto& [id, times] : seen) {
    EXPECT_TRUE(std::ispunct(id) != 0 || std::isspace(id) != 0) << id;
    // Binomial(38000, 1/38): mean 1000, standard deviation 31.2; six of them.
    EXPECT_NEAR(times, 1000, 188) << id;
  }
}

TEST(RandomCorpus, MoreIdsBeginWithTheSame) {
  const Tokenizer tokenizer = made(support::tiny_tokenizer());
  const Tokens few = random_ascii_tokens(100, 3, tokenizer);
  const Tokens more = random_ascii_tokens(1000, 3, tokenizer);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  EXPECT_NE(random_ascii_tokens(100, 4, tokenizer), few);
}

// Drawn with a few lines of Python: Matsumoto and Nishimura's mt19937-64 as published, remainders
// of draws below the largest multiple of 262 and of 38.
TEST(RandomCorpus, IsTheSameOnEveryPlatform) {
  const Tokenizer tokenizer = made(support::tiny_tokenizer());
  EXPECT_EQ(random_vocabulary_tokens(6, 0, tokenizer, 262), (Tokens{70, 239, 37, 22, 106, 178}));
  EXPECT_EQ(random_ascii_tokens(6, 0, tokenizer), (Tokens{45, 46, 58, 47, 10, 91}));
}

TEST(RandomCorpus, VocabularyLeavesOutSpecialTokensAndPadding) {
  nlohmann::json document = support::tiny_tokenizer();
  nlohmann::json first = support::added_token(0, "Ā");
  first["special"] = true;
  document["added_tokens"].push_back(first);
  const Tokenizer tokenizer = made(document);
  const Tokens ids = random_vocabulary_tokens(20000, 1, tokenizer, 1000);
  const std::set<TokenId> seen(ids.begin(), ids.end());
  EXPECT_EQ(seen.size(), 260U);  // 262 less two
  EXPECT_EQ(*seen.begin(), 1);
  EXPECT_EQ(*seen.rbegin(), 260);
  const Tokens below = random_vocabulary_tokens(2000, 1, tokenizer, 5);
  EXPECT_EQ(*std::max_element(below.begin(), below.end()), 4);
}

TEST(RandomCorpus, ATokenizerThatGivesNothingIsRefused) {
  nlohmann::json document = support::tiny_tokenizer();
  document["added_tokens"] = nullptr;
  document["model"]["vocab"] = {{"a", 0}};
  document["model"]["merges"] = nlohmann::json::array();
  EXPECT_THROW(random_ascii_tokens(10, 0, made(document)), InputError);
  nlohmann::json only = support::added_token(0, "a");
  only["special"] = true;
  document["added_tokens"] = nlohmann::json::array({only});
  EXPECT_THROW(random_vocabulary_tokens(10, 0, made(document), 100), InputError);
}

}  // namespace
}  // namespace evenkeel
