#include "io/pretokenizer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

const Json gpt2 = {{"type", "ByteLevel"}, {"add_prefix_space", false}};

std::unique_ptr<const PreTokenizer> made(const Json& settings) {
  return make_pretokenizer(ComponentSettings("t.json: pre_tokenizer", settings));
}

Strings words(const Json& settings, std::string_view text) {
  Strings found;
  made(settings)->split({text, true}, [&found](const Word& word) {
    found.emplace_back(word.text);
    return true;
  });
  return found;
}

std::string fault(const Json& settings) {
  try {
    made(settings);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// What the expression in GPT-2's published encoder.py gives.
TEST(PreTokenizer, ByteLevelSplitsAsGpt2) {
  EXPECT_EQ(words(gpt2, "It's  12kg, no?"),
            (Strings{"It", "'s", " ", " 12", "kg", ",", " no", "?"}));
  EXPECT_EQ(words(gpt2, "a\n\n b \n"), (Strings{"a", "\n\n", " b", " \n"}));
  EXPECT_EQ(words(gpt2, "naïve 東京 ½Ⅷ"), (Strings{"naïve", " 東京", " ½Ⅷ"}));
  EXPECT_EQ(words(gpt2, "DON'T"), (Strings{"DON", "'", "T"}));  // contractions are lower case
  EXPECT_EQ(words(gpt2, " \t "), (Strings{" \t "}));
}

TEST(PreTokenizer, WhiteSpaceIsUnicodes) {
  EXPECT_EQ(words(gpt2, "a\u00A0\u3000b"), (Strings{"a", "\u00A0", "\u3000", "b"}));
  // U+180E was white space before Unicode 6.3, and is to PCRE2's \s.
  EXPECT_EQ(words(gpt2, " \u180E"), (Strings{" \u180E"}));
}

TEST(PreTokenizer, PrefixSpaceIsAddedWhereThereIsNone) {
  const Json settings = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  EXPECT_EQ(words(settings, "a b"), (Strings{" a", " b"}));
  EXPECT_EQ(words(settings, " a"), (Strings{" a"}));
  EXPECT_EQ(words(settings, "\ta"), (Strings{" ", "\t", "a"}));
}

TEST(PreTokenizer, WithoutTheExpressionATextIsOneWord) {
  const Json settings = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  EXPECT_EQ(words(settings, "a b 1"), (Strings{"a b 1"}));
}

TEST(PreTokenizer, SequenceRunsItsSteps) {
  EXPECT_EQ(words({{"type", "Sequence"}, {"pretokenizers", Json::array()}}, "a b"),
            (Strings{"a b"}));
  const Json inner = {{"type", "Sequence"}, {"pretokenizers", Json::array({gpt2})}};
  const Json outer = {{"type", "Sequence"}, {"pretokenizers", Json::array({inner})}};
  EXPECT_EQ(words(outer, "a b"), (Strings{"a", " b"}));
  EXPECT_EQ(made(outer)->word_bytes(), WordBytes::byte_level);
}

TEST(PreTokenizer, StopsWhenAsked) {
  int seen = 0;
  EXPECT_FALSE(made(gpt2)->split({"a b c d", true}, [&seen](const Word&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(PreTokenizer, ALongRunOfWhiteSpaceIsOneWord) {
  const std::string spaces(1 << 20, ' ');
  EXPECT_EQ(words(gpt2, spaces + "x"), (Strings{spaces.substr(1), " x"}));
}

TEST(PreTokenizerFaults, NameTheirPlace) {
  EXPECT_EQ(fault({{"type", "UnicodeScripts"}}),
            "t.json: pre_tokenizer: type 'UnicodeScripts' is not supported; supported: "
            "BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, "
            "Whitespace, WhitespaceSplit");
  EXPECT_EQ(fault({{"type", "ByteLevel"}}),
            "t.json: pre_tokenizer: 'add_prefix_space' is missing: expected true or false");
  EXPECT_EQ(fault({{"type", "Sequence"}}),
            "t.json: pre_tokenizer: 'pretokenizers': expected a list of objects");
  EXPECT_EQ(fault({{"type", "Sequence"}, {"pretokenizers", Json::array({gpt2, 1})}}),
            "t.json: pre_tokenizer.pretokenizers[1]: expected an object, got 1");
  const Json empty = {{"type", "Sequence"}, {"pretokenizers", Json::array()}};
  EXPECT_EQ(fault({{"type", "Sequence"}, {"pretokenizers", Json(Json::array_t(65, empty))}}),
            "t.json: pre_tokenizer: 65 steps are too many; at most 64 are supported");
  EXPECT_NE(fault(Json::object()).find("'type'"), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
