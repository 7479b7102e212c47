#include "io/token_trie.h"

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

TEST(TokenTrie, EmptyFindsNothing) { EXPECT_FALSE(TokenTrie().find("abc", 0)); }

}  // namespace
}  // namespace evenkeel
