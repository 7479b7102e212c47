#include "io/oniguruma.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/regex.h"

namespace evenkeel {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  const Regex regex(from_oniguruma(pattern, "t"), "t");
  RegexScanner scanner(regex, text);
  std::vector<std::string> found;
  while (const auto match = scanner.next()) {
    found.emplace_back(text.substr(match->begin, match->end - match->begin));
  }
  return found;
}

using Strings = std::vector<std::string>;

std::string fault(std::string_view pattern) {
  try {
    from_oniguruma(pattern, "t.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// Expected values: Oniguruma 6.9 by way of the `tokenizers` package.
TEST(Oniguruma, ClassesMeanWhatTheyMeanThere) {
  EXPECT_EQ(matches(R"(\h+)", "ab1234g F"), (Strings{"ab1234", "F"}));
  EXPECT_EQ(matches(R"(\w+)", "a\u0301_\u00B2-\u24B6\u200D"),
            (Strings{"a\u0301_\u00B2", "\u24B6"}));
  EXPECT_EQ(matches(R"([\w-]+)", "a-b c"), (Strings{"a-b", "c"}));
  EXPECT_EQ(matches(R"(\s)", "a\u180E\u0085"), (Strings{"\u0085"}));
  EXPECT_EQ(matches(R"([^\s]+)", "a\u180E b"), (Strings{"a\u180E", "b"}));
  EXPECT_EQ(matches(R"([\S]+|\v)", "a \x0B"), (Strings{"a", "\x0B"}));
  EXPECT_EQ(matches("[[:alpha:][:digit:]]+", "a\u24B6\u0661-"), (Strings{"a\u24B6\u0661"}));
  EXPECT_EQ(matches("[[:punct:]]+", "a+\u20AC."), (Strings{"+\u20AC."}));
  EXPECT_EQ(matches(R"(\p{Han}+|\P{^Letter}+)", "漢字ab1"), (Strings{"漢字", "ab"}));
}

TEST(Oniguruma, AnchorsOptionsAndIntervals) {
  EXPECT_EQ(matches("^a", "a\na"), (Strings{"a", "a"}));
  EXPECT_EQ(matches("(?m:b.)", "b\nbc"), (Strings{"b\n", "bc"}));
  EXPECT_EQ(matches("b.", "b\nbc"), (Strings{"bc"}));
  EXPECT_EQ(matches("b{,2}c", "bbbc"), (Strings{"bbc"}));
  EXPECT_EQ(matches("a{,b", "a{,b"), (Strings{"a{,b"}));
  EXPECT_EQ(matches(R"(\u0062(?#c)[\x63\x{64}])", "abd"), (Strings{"bd"}));
  EXPECT_EQ(matches(R"((?<n>a)|\bc\b)", "ac c"), (Strings{"a", "c"}));
}

TEST(Oniguruma, TheExpressionOfLlama3) {
  EXPECT_EQ(matches(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
                    "It'S  1234 kg!\n\n  ok"),
            (Strings{"It", "'S", " ", " ", "123", "4", " kg", "!\n\n", " ", " ok"}));
}

TEST(OnigurumaFaults, WhatIsReadDifferentlyIsRefused) {
  EXPECT_EQ(fault(R"(a{1,3}+)"),
            "t.json: regular expression 'a{1,3}+': a quantifier after a quantifier at byte 1 is "
            "not supported");
  EXPECT_EQ(fault(R"(\p{Klingon})"),
            R"(t.json: regular expression '\p{Klingon}': the property 'Klingon' at byte 0 is not )"
            "supported");
  for (const char* pattern : {"[a[b]]", "[a&&b]", "(*FAIL)", R"(\Qa\E)", "(?s:a)", "(?x)a", "[a",
                              R"([\W])", R"(\xE9)", "a\\", "[[:graph:]]", "a{2}?", "(?P<n>a)"}) {
    EXPECT_NE(fault(pattern).find("is not supported"), std::string::npos) << pattern;
  }
}

}  // namespace
}  // namespace evenkeel
