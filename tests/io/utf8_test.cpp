#include "io/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using namespace std::string_literals;

TEST(Utf8, ValidTextHasNoFault) {
  for (const std::string& text :
       {""s, "plain"s, "\0\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
        "\xEE\x80\x80"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
    EXPECT_EQ(first_invalid_utf8(text), std::nullopt) << text;
  }
}

// Unicode, Table 3-7: what may not follow what.
TEST(Utf8, FaultIsFoundWhereItsSequenceBegins) {
  for (const std::string& fault :
       {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC2"s, "\xC2\x41"s, "\xE0\x9F\xBF"s, "\xE2\x82"s,
        "\xED\xA0\x80"s, "\xEF\xBF\x7F"s, "\xF0\x8F\xBF\xBF"s, "\xF0\x9F\x98"s, "\xF4\x90\x80\x80"s,
        "\xF5\x80\x80\x80"s, "\xFF"s}) {
    // Before, at and after the eight bytes that are looked at together.
    for (const std::size_t before : {0U, 3U, 7U, 8U, 9U, 31U}) {
      const std::string text = std::string(before, 'a') + fault;
      EXPECT_EQ(first_invalid_utf8(text), before) << before;
      EXPECT_EQ(first_invalid_utf8(text + "tail of ASCII"), before) << before;
    }
  }
}

TEST(Utf8, EveryCharacterSurvivesWritingAndReading) {
  for (char32_t character = 0; character < 0x110000; ++character) {
    if (character >= 0xD800 && character < 0xE000) continue;
    std::string text = "é";
    append_utf8(text, character);
    ASSERT_EQ(first_invalid_utf8(text), std::nullopt) << std::hex << std::uint32_t{character};
    ASSERT_EQ(utf8_at(text, 2), character);
    ASSERT_EQ(utf8_size(text[2]), text.size() - 2);
    ASSERT_EQ(utf8_before(text, text.size()), 2U);
  }
}

TEST(Utf8, WhiteSpaceIsTheUnicodeProperty) {
  // PropList.txt of Unicode 15, White_Space.
  const std::u32string white =
      U"\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
      U"\u200A\u2028\u2029\u202F\u205F\u3000";
  for (char32_t character = 0; character < 0x110000; ++character) {
    ASSERT_EQ(is_white_space(character), white.find(character) != std::u32string::npos)
        << std::hex << std::uint32_t{character};
  }
}

}  // namespace
}  // namespace evenkeel
