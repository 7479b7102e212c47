#include "io/one_line.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(OneLineTest, PrintableTextStays) {
  EXPECT_EQ(one_line("model.layers.0"), "model.layers.0");
  EXPECT_EQ(in_quotes("größe"), "'größe'");
  EXPECT_EQ(in_quotes(""), "''");
}

TEST(OneLineTest, ControlCharactersBecomeVisible) {
  EXPECT_EQ(one_line(std::string_view("a\nb\0c\x1b[31m\x7f", 11)), "a\\x0ab\\x00c\\x1b[31m\\x7f");
}

TEST(OneLineTest, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(one_line(std::string(100, 'x')), std::string(100, 'x'));
  EXPECT_EQ(one_line(std::string(101, 'x')), std::string(100, 'x') + "...");
  EXPECT_EQ(one_line("abcdef", 3), "abc...");
  // The 100th byte is the first of two.
  EXPECT_EQ(one_line(std::string(99, 'x') + "ö" + "y"), std::string(99, 'x') + "...");
  // Never valid, but never an error either.
  EXPECT_EQ(one_line(std::string(500, '\x80')), "...");
}

}  // namespace
}  // namespace evenkeel
