#include "io/token_trie.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(TokenTrie, FindsTheLeftmostAndOfThoseTheLongest) {
  TokenTrie trie;
  trie.add("ab", 0);
  trie.add("abcd", 1);
  trie.add("bc", 2);
  const auto ids_at = [&trie](std::string_view text, std::size_t from) {
    const auto match = trie.find(text, from);
    return match ? std::tuple(match->begin, match->end, match->id)
                 : std::tuple(std::size_t{0}, std::size_t{0}, TokenId{-1});
  };
  EXPECT_EQ(ids_at("xabcdx", 0), std::tuple(1U, 5U, 1));
  EXPECT_EQ(ids_at("xabcx", 0), std::tuple(1U, 3U, 0));  // abcd fails at its last byte
  EXPECT_EQ(ids_at("xabcx", 2), std::tuple(2U, 4U, 2));
  EXPECT_EQ(ids_at("abc", 3), std::tuple(0U, 0U, -1));
  EXPECT_EQ(ids_at("a", 0), std::tuple(0U, 0U, -1));
}

TEST(TokenTrie, FindsTheLongestAfterAPrefix) {
  TokenTrie trie;
  trie.add("##", 0);
  trie.add("##a", 1);
  trie.add("##abc", 2);
  trie.add("abcd", 3);
  const auto at = [&trie](std::string_view text, std::string_view prefix) {
    const auto match = trie.longest_at(text, 1, prefix);
    return match ? std::pair(match->end, match->id) : std::pair(std::size_t{0}, TokenId{-1});
  };
  EXPECT_EQ(at("xabcd", "##"), std::pair(std::size_t{4}, TokenId{2}));
  EXPECT_EQ(at("xabd", "##"), std::pair(std::size_t{2}, TokenId{1}));
  EXPECT_EQ(at("xabcd", ""), std::pair(std::size_t{5}, TokenId{3}));
  EXPECT_EQ(at("x", "##"), std::pair(std::size_t{0}, TokenId{-1}));  // the prefix alone is none
  EXPECT_EQ(at("xa", "#+"), std::pair(std::size_t{0}, TokenId{-1}));
}

// The table of its edges grows many times.
TEST(TokenTrie, HoldsManyTokens) {
  TokenTrie trie;
  for (TokenId i = 0; i < 5000; ++i) trie.add(std::to_string(10000 + i), i);
  for (TokenId i = 0; i < 5000; ++i) {
    const auto match = trie.longest_at(std::to_string(10000 + i) + "0", 0);
    ASSERT_TRUE(match && match->id == i && match->end == 5) << i;
  }
}

TEST(TokenTrie, EmptyFindsNothing) { EXPECT_FALSE(TokenTrie().find("abc", 0)); }

}  // namespace
}  // namespace evenkeel
