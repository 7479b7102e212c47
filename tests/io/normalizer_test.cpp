#include "io/normalizer.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::string normalized(const Json& settings, std::string_view text) {
  return make_normalizer(ComponentSettings("t.json: normalizer", settings))->normalized(text);
}

std::string fault(const Json& settings, std::string_view text = "") {
  try {
    normalized(settings, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// The examples of Unicode Standard Annex 15, figures 3 to 6.
TEST(Normalizer, Forms) {
  const std::string text = "\u1E69 \uFB01 2\u2075 \u1E9B\u0323";
  EXPECT_EQ(normalized({{"type", "NFC"}}, text), "\u1E69 \uFB01 2\u2075 \u1E9B\u0323");
  EXPECT_EQ(normalized({{"type", "NFD"}}, text), "s\u0323\u0307 \uFB01 2\u2075 \u017F\u0323\u0307");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, text), "\u1E69 fi 25 \u1E69");
  EXPECT_EQ(normalized({{"type", "NFKD"}}, text), "s\u0323\u0307 fi 25 s\u0323\u0307");
}

TEST(Normalizer, FormsAreOfUnicode9) {
  // The square era name Reiwa came with Unicode 12.1, Heisei is old.
  EXPECT_EQ(normalized({{"type", "NFKC"}}, "\u32FF \u337B"), "\u32FF \u5E73\u6210");
}

TEST(Normalizer, LowercaseGoesByCharacters) {
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "\u0130\u0391\u03A3 A"), "i\u0307\u03B1\u03C3 a");
}

TEST(Normalizer, StripAccentsTakesMarksOfAllKinds) {
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "a\u0301\u0903\u20DD\u00E9"), "a\u00E9");
}

TEST(Normalizer, StripTakesUnicodesWhiteSpace) {
  const std::string text = "\u00A0\t a b\u3000 ";
  Json strip = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
  EXPECT_EQ(normalized(strip, text), "a b");
  EXPECT_EQ(normalized(strip, " \u3000"), "");
  strip["strip_left"] = false;
  EXPECT_EQ(normalized(strip, text), "\u00A0\t a b");
}

TEST(Normalizer, ReplaceTakesStringsAndExpressions) {
  const auto replace = [](const Json& pattern, const char* content) {
    return Json{{"type", "Replace"}, {"pattern", pattern}, {"content", content}};
  };
  EXPECT_EQ(normalized(replace({{"String", " "}}, "▁"), " a b"), "▁a▁b");
  EXPECT_EQ(normalized(replace({{"String", "a.(b"}}, ""), "a.(b aX(b"), " aX(b");
  EXPECT_EQ(normalized(replace({{"Regex", "(b)"}}, "<$1>"), "abcb"), "a<$1>c<$1>");
  EXPECT_EQ(normalized(replace({{"Regex", "b*"}}, "X"), "abcb"), "XaXcX");
  EXPECT_EQ(normalized(replace({{"String", ""}}, "X"), "abc"), "XaXbXcX");
}

TEST(Normalizer, PrependLeavesNothingAlone) {
  const Json prepend = {{"type", "Prepend"}, {"prepend", "▁"}};
  EXPECT_EQ(normalized(prepend, "a"), "▁a");
  EXPECT_EQ(normalized(prepend, ""), "");
}

TEST(Normalizer, SequenceRunsItsSteps) {
  const Json steps = Json::array({{{"type", "NFD"}}, {{"type", "StripAccents"}}});
  EXPECT_EQ(normalized({{"type", "Sequence"}, {"normalizers", steps}}, "\u00E9\u00FC"), "eu");
}

TEST(NormalizerFaults, SayWhatIsWrong) {
  EXPECT_EQ(fault({{"type", "Nmt"}}),
            "t.json: normalizer: type 'Nmt' is not supported; supported: BertNormalizer, "
            "Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence, Strip, "
            "StripAccents");
  EXPECT_EQ(fault({{"type", "Replace"}, {"pattern", Json::object()}, {"content", ""}}),
            R"(t.json: normalizer.pattern: expected {"String": "x"} or {"Regex": "x"})");
  EXPECT_EQ(fault({{"type", "Strip"}, {"strip_left", true}}),
            "t.json: normalizer: 'strip_right' is missing: expected true or false");
  EXPECT_EQ(fault({{"type", "Prepend"}}),
            "t.json: normalizer: 'prepend' is missing: expected a "
            "string");
}

TEST(NormalizerFaults, ChainsThatFillTheMemoryAreRefused) {
  const Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  const Json chain = {{"type", "Sequence"}, {"normalizers", Json(Json::array_t(60, doubling))}};
  EXPECT_EQ(fault(chain, "a"),
            "t.json: normalizer: it makes more than 4096 bytes of each byte of the text");
}

}  // namespace
}  // namespace evenkeel
