#include "io/regex.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
  const Regex regex(pattern, "test");
  RegexScanner scanner(regex, text);
  std::vector<std::string> found;
  while (const auto match = scanner.next()) {
    found.push_back(text.substr(match->begin, match->end - match->begin));
  }
  return found;
}

using Strings = std::vector<std::string>;

TEST(Regex, MatchesCharactersNotBytes) {
  EXPECT_EQ(matches(".", "aé日"), (Strings{"a", "é", "日"}));
  EXPECT_EQ(matches(R"(\p{L}+)", "Größe, Ελλάδα 12"), (Strings{"Größe", "Ελλάδα"}));
}

TEST(Regex, NothingInNothing) {
  EXPECT_EQ(matches("a", ""), Strings{});
  EXPECT_EQ(matches("a", "bbb"), Strings{});
}

TEST(Regex, EmptyMatchesGoOnByOneCharacter) {
  EXPECT_EQ(matches("x*", "éx"), (Strings{"", "x", ""}));
}

TEST(Regex, BadPatternNamesItselfAndTheOffset) {
  try {
    const Regex regex("a(b", "tokenizer.json: pre_tokenizer");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "tokenizer.json: pre_tokenizer: bad regular expression 'a(b' at offset 3: "
                 "missing closing parenthesis");
  }
}

}  // namespace
}  // namespace evenkeel
