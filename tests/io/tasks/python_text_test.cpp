#include "io/tasks/python_text.h"

#include <gtest/gtest.h>

#include "io/tasks/prompts.h"

namespace evenkeel {
namespace {

TEST(PythonText, StripsWhatPythonCallsSpace) {
  EXPECT_EQ(stripped(" \t\n a b\u00a0\u2003\x1f\u3000"), "a b");
  EXPECT_EQ(right_stripped(" a \u200b"), " a \u200b");  // no white space
  EXPECT_EQ(right_stripped(" \n"), "");
}

// What Python 3.11 prints.
TEST(PythonText, CapitalizesAsPython) {
  EXPECT_EQ(capitalized(""), "");
  EXPECT_EQ(capitalized("he SAYS"), "He says");
  EXPECT_EQ(capitalized("ßA"), "Ssa");
  EXPECT_EQ(capitalized("ǆA"), "ǅa");  // title case
  EXPECT_EQ(capitalized("οΔΟΣ ΣΑ"), "Οδος σα");
  EXPECT_EQ(capitalized("aİ"), "Ai\u0307");
  EXPECT_EQ(capitalized("1ABC"), "1abc");
}

TEST(PythonText, LowersTheFirstAlone) {
  EXPECT_EQ(with_first_lowered(""), "");
  EXPECT_EQ(with_first_lowered("ÉTÉ"), "éTÉ");
}

TEST(PythonText, ReplacesFromTheLeft) {
  EXPECT_EQ(replaced("a   b    c", "  ", " "), "a  b  c");
  EXPECT_EQ(replaced("", "x", "y"), "");
}

TEST(PythonText, CountsCodePoints) { EXPECT_EQ(character_count("aé東\U0001F600"), 4U); }

// Against re.sub(r"\[.*?\]", "", text) of Python.
TEST(HellaSwagText, LeavesBracketsOut) {
  EXPECT_EQ(hellaswag_text("a[b]c"), "ac");
  EXPECT_EQ(hellaswag_text("a[b[c]d]e"), "ad]e");
  EXPECT_EQ(hellaswag_text("a[b\nc]d[e]"), "a[b\nc]d");
  EXPECT_EQ(hellaswag_text("a]b[c"), "a]b[c");
  EXPECT_EQ(hellaswag_text(" [header] Go [title] Do it "), " Go. Do it");
  EXPECT_EQ(hellaswag_text("[]"), "");
}

}  // namespace
}  // namespace evenkeel
