#include "io/unicode.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(Unicode, CategoriesAreOfTheVersionsNamed) {
  EXPECT_TRUE(is_punctuation(U'+'));        // an ASCII symbol
  EXPECT_FALSE(is_punctuation(U'\u20AC'));  // a symbol
  EXPECT_TRUE(is_punctuation(U'\u3002'));
  EXPECT_TRUE(is_punctuation(0x166D));   // So since Unicode 12
  EXPECT_FALSE(is_punctuation(0x2E43));  // new in Unicode 9
  EXPECT_TRUE(is_control(0x200D));
  EXPECT_FALSE(is_control(0x08E2));  // new in Unicode 9
  EXPECT_FALSE(is_control(0x0378));  // not assigned
  EXPECT_TRUE(is_nonspacing_mark(0x0301));
  EXPECT_FALSE(is_nonspacing_mark(0x0903));  // a spacing one
  EXPECT_TRUE(is_nonspacing_mark(0x1734));   // Mc since Unicode 14
  EXPECT_FALSE(is_nonspacing_mark(0x1885));  // Lo until Unicode 9
  EXPECT_TRUE(is_mark(0x0903));
  EXPECT_TRUE(is_mark(0x1CF2));   // Lo since Unicode 12
  EXPECT_FALSE(is_mark(0x0AFA));  // new in Unicode 10
  EXPECT_TRUE(is_number(0x00BD));
}

TEST(Unicode, PropertiesAreFoundByAnyOfTheirNames) {
  EXPECT_EQ(regex_property("L"), "L");
  EXPECT_EQ(regex_property("Uppercase_Letter"), "Lu");
  EXPECT_EQ(regex_property("LC"), "L&");
  EXPECT_EQ(regex_property("hiragana"), "sc:Hiragana");
  EXPECT_EQ(regex_property("White_Space"), "White_Space");
  EXPECT_EQ(regex_property("Klingon"), std::nullopt);
  EXPECT_EQ(regex_property(""), std::nullopt);
}

}  // namespace
}  // namespace evenkeel
