#include "io/split_behavior.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

bool is_dot(char32_t character) { return character == U'.'; }

Strings by_dots(SplitBehavior behavior, std::string_view text) {
  Strings words;
  EXPECT_TRUE(split_by(is_dot, behavior, {text, true}, [&words](const Word& word) {
    words.emplace_back(word.text);
    return true;
  }));
  return words;
}

// As the documentation of the `tokenizers` library has it, and its results.
TEST(SplitBehavior, SaysWhatBecomesOfMatches) {
  constexpr std::string_view text = "..a..b.c.";
  EXPECT_EQ(by_dots(SplitBehavior::removed, text), (Strings{"a", "b", "c"}));
  EXPECT_EQ(by_dots(SplitBehavior::isolated, text),
            (Strings{".", ".", "a", ".", ".", "b", ".", "c", "."}));
  EXPECT_EQ(by_dots(SplitBehavior::merged_with_previous, text),
            (Strings{".", ".", "a.", ".", "b.", "c."}));
  EXPECT_EQ(by_dots(SplitBehavior::merged_with_next, text),
            (Strings{".", ".a", ".", ".b", ".c", "."}));
  EXPECT_EQ(by_dots(SplitBehavior::contiguous, text),
            (Strings{"..", "a", "..", "b", ".", "c", "."}));
  EXPECT_EQ(by_dots(SplitBehavior::removed, "..."), Strings{});
}

TEST(SplitBehavior, InvertedAndEmptyMatches) {
  const Regex regex("b*", "t");
  const auto words = [&regex](SplitBehavior behavior, bool invert) {
    Strings found;
    split_by(regex, invert, behavior, {"abbcdb", true}, [&found](const Word& word) {
      found.emplace_back(word.text);
      return true;
    });
    return found;
  };
  EXPECT_EQ(words(SplitBehavior::removed, false), (Strings{"a", "c", "d"}));
  EXPECT_EQ(words(SplitBehavior::removed, true), (Strings{"bb", "b"}));
  EXPECT_EQ(words(SplitBehavior::merged_with_previous, false), (Strings{"abb", "c", "db"}));
  EXPECT_EQ(words(SplitBehavior::merged_with_previous, true), (Strings{"a", "bbc", "d", "b"}));
  EXPECT_EQ(words(SplitBehavior::merged_with_next, false), (Strings{"a", "bbc", "d", "b"}));
  EXPECT_EQ(words(SplitBehavior::merged_with_next, true), (Strings{"abb", "c", "db"}));
  EXPECT_EQ(words(SplitBehavior::contiguous, true), (Strings{"a", "bb", "c", "d", "b"}));
}

TEST(SplitBehavior, OnlyTheFirstWordOpensTheText) {
  std::vector<bool> opens;
  split_by(is_dot, SplitBehavior::removed, {"a.b", true}, [&opens](const Word& word) {
    opens.push_back(word.opens);
    return true;
  });
  EXPECT_EQ(opens, (std::vector<bool>{true, false}));
}

TEST(SplitBehavior, StopsWhenAsked) {
  int seen = 0;
  EXPECT_FALSE(split_by(is_dot, SplitBehavior::isolated, {"a.b.c", true},
                        [&seen](const Word&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(SplitBehavior, AnUnknownNameIsAFault) {
  try {
    split_behavior_of(ComponentSettings("t", Json{{"behavior", "Merged"}}));
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "t: 'behavior': 'Merged' is not known; expected one of Removed, Isolated, "
                 "MergedWithPrevious, MergedWithNext, Contiguous");
  }
}

}  // namespace
}  // namespace evenkeel
