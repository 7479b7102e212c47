#include "io/word_splitters.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;
using Make = std::unique_ptr<const PreTokenizer> (*)(const ComponentSettings& settings);

Strings words(Make make, const Json& settings, std::string_view text) {
  Strings found;
  make(ComponentSettings("t", settings))->split({text, true}, [&found](const Word& word) {
    found.emplace_back(word.text);
    return true;
  });
  return found;
}

TEST(WordSplitters, Digits) {
  EXPECT_EQ(words(make_digits, {{"individual_digits", false}}, "a12½b"),
            (Strings{"a", "12½", "b"}));
  EXPECT_EQ(words(make_digits, {{"individual_digits", true}}, "a12\u0663"),
            (Strings{"a", "1", "2", "\u0663"}));
  EXPECT_THROW(words(make_digits, Json::object(), "a"), InputError);
}

TEST(WordSplitters, PunctuationWithAsciiSymbols) {
  EXPECT_EQ(words(make_punctuation, Json::object(), "a+b€。"), (Strings{"a", "+", "b€", "。"}));
  EXPECT_EQ(words(make_punctuation, {{"behavior", "Contiguous"}}, "a..b"),
            (Strings{"a", "..", "b"}));
}

TEST(WordSplitters, WhiteSpace) {
  EXPECT_EQ(words(make_whitespace, Json::object(), "a\u0301b_1, c\u3000!?"),
            (Strings{"a\u0301b_1", ",", "c", "!?"}));
  EXPECT_EQ(words(make_whitespace_split, Json::object(), " a, b\u3000c"),
            (Strings{"a,", "b", "c"}));
  EXPECT_EQ(words(make_bert_splitter, Json::object(), " a, b-\u3000c"),
            (Strings{"a", ",", "b", "-", "c"}));
}

TEST(WordSplitters, SplitByStringsAndExpressions) {
  const Json dots = {{"pattern", {{"String", "."}}}, {"behavior", "Removed"}, {"invert", false}};
  EXPECT_EQ(words(make_split, dots, "a.b"), (Strings{"a", "b"}));
  const Json kept = {{"pattern", {{"Regex", R"(\d)"}}}, {"behavior", "Removed"}, {"invert", true}};
  EXPECT_EQ(words(make_split, kept, "a1b2"), (Strings{"1", "2"}));
  EXPECT_THROW(words(make_split, {{"pattern", {{"Regex", "("}}}}, "a"), InputError);
}

}  // namespace
}  // namespace evenkeel
