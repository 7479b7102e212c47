#include "io/gguf_merges.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

std::vector<std::string> texts(const std::vector<std::string_view>& tokens,
                               const std::vector<double>& scores) {
  std::vector<std::string> merges;
  for (const GgufMerge& merge : gguf_merges(tokens, scores)) {
    merges.push_back(std::string(merge.left) + " " + std::string(merge.right));
  }
  return merges;
}

TEST(GgufMerges, ByScoreOfTheWhole) {
  EXPECT_EQ(texts({"a", "b", "c", "bc", "ab"}, {0, 0, 0, -2, -1}),
            (std::vector<std::string>{"a b", "b c"}));
}

TEST(GgufMerges, EveryWayLongerLeftPartsFirst) {
  EXPECT_EQ(texts({"a", "aa", "aaa"}, {0, -1, -2}),
            (std::vector<std::string>{"a a", "aa a", "a aa"}));
}

TEST(GgufMerges, EqualScoresKeepTheOrderOfTokens) {
  EXPECT_EQ(texts({"a", "b", "ba", "ab"}, {0, 0, -1, -1}),
            (std::vector<std::string>{"b a", "a b"}));
}

TEST(GgufMerges, PartsAreWholeCharacters) {
  EXPECT_EQ(texts({"\u2581", "e", "\u2581e", "\xE2"}, {0, 0, -1, 0}),
            (std::vector<std::string>{"\u2581 e"}));
}

TEST(GgufMerges, LengthIsInCharacters) {
  // Of "bbé" the parts are 2 and 1 characters, or 1 and 2.
  EXPECT_EQ(texts({"b", "é", "bb", "bé", "bbé"}, {0, 0, -1, -2, -3}),
            (std::vector<std::string>{"b b", "b é", "bb é", "b bé"}));
}

TEST(GgufMerges, LongTokensTakeNoTime) {
  const std::string longest(longest_merged_token, 'a');
  const std::string longer(std::size_t{1} << 22U, 'a');
  EXPECT_EQ(texts({"a", longer}, {0, 0}).size(), 0U);
  EXPECT_EQ(texts({"a", std::string_view(longest).substr(1), longest}, {0, -1, -2}).size(), 2U);
  EXPECT_TRUE(texts({}, {}).empty());
}

}  // namespace
}  // namespace evenkeel
