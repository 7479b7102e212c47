#include "io/word_cache.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(WordCache, KnowsAWordThatItWasTold) {
  WordCache cache(1000);
  Tokens ids;
  EXPECT_FALSE(cache.append_known("the", ids));
  ids = {7, 8, 9};
  cache.remember("the", 1, ids);
  EXPECT_TRUE(cache.append_known("the", ids));
  EXPECT_EQ(ids, (Tokens{7, 8, 9, 8, 9}));
  EXPECT_FALSE(cache.append_known("th", ids));
}

TEST(WordCache, AWordMayHaveNoIds) {
  WordCache cache(0);
  Tokens ids;
  cache.remember("x", 0, ids);
  EXPECT_TRUE(cache.append_known("x", ids));
  EXPECT_TRUE(ids.empty());
}

TEST(WordCache, LongWordsAreNotKept) {
  WordCache cache(1000);
  Tokens ids = {1};
  const std::string longest(48, 'a');
  cache.remember(longest, 0, ids);
  EXPECT_TRUE(cache.append_known(longest, ids));
  cache.remember(longest + 'a', 0, ids);
  EXPECT_FALSE(cache.append_known(longest + 'a', ids));
}

// Many more words than slots: a word is forgotten, never mistaken for another.
TEST(WordCache, NeverMistakesAWord) {
  WordCache cache(0);
  Tokens ids;
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    const TokenId number = static_cast<TokenId>(random() % 500);
    const std::string word = std::to_string(number);
    const std::size_t first = ids.size();
    if (!cache.append_known(word, ids)) {
      ids.push_back(number);
      cache.remember(word, first, ids);
    }
    ASSERT_EQ(ids.size(), first + 1);
    ASSERT_EQ(ids.back(), number);
  }
}

}  // namespace
}  // namespace evenkeel
