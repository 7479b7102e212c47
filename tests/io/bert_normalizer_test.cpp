#include "io/bert_normalizer.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json none() {
  return {{"clean_text", false},
          {"handle_chinese_chars", false},
          {"strip_accents", nullptr},
          {"lowercase", false}};
}

std::string with(const char* key, const Json& value, std::string_view text) {
  Json settings = none();
  settings[key] = value;
  return make_bert_normalizer(ComponentSettings("t.json: normalizer", settings))->normalized(text);
}

TEST(BertNormalizer, CleansControlCharactersAndWhiteSpace) {
  EXPECT_EQ(with("clean_text", true, "a\tb\u00A0c\u200Dd\uFFFDe\u0085f\rg"), "a b cdef g");
}

TEST(BertNormalizer, SetsIdeographsApart) {
  EXPECT_EQ(with("handle_chinese_chars", true, "a中b\U00020000カ"), "a 中 b \U00020000 カ");
}

TEST(BertNormalizer, AccentsGoWithCaseUnlessToldOtherwise) {
  EXPECT_EQ(with("lowercase", true, "\u00C9A"), "ea");
  EXPECT_EQ(with("lowercase", false, "\u00C9A"), "\u00C9A");
  EXPECT_EQ(with("strip_accents", true, "\u00C9A"), "EA");
  Json settings = none();
  settings["lowercase"] = true;
  settings["strip_accents"] = false;
  EXPECT_EQ(make_bert_normalizer(ComponentSettings("t", settings))->normalized("\u00C9A"),
            "\u00E9a");
}

// ASCII is looked up, and the rest is normalized in stretches; a control character that goes joins
// what it stood between: marks that are not struck out then change places.
TEST(BertNormalizer, StretchesAreThoseOfTheWholeText) {
  Json settings = none();
  settings["clean_text"] = settings["lowercase"] = true;
  const auto normalizer = make_bert_normalizer(ComponentSettings("t", settings));
  const std::string ascii = "A LONG ENOUGH RUN OF ASCII\n";
  EXPECT_EQ(normalizer->normalized(ascii + "\u00C9\x01T\u0301\u00C9 " + ascii + "\u0301\u0130"),
            "a long enough run of ascii ete a long enough run of ascii i");
  EXPECT_EQ(normalizer->normalized("\u302E\x01\x02\U0001D165"), "\U0001D165\u302E");
}

TEST(BertNormalizer, MissingSettingsAreFaults) {
  EXPECT_THROW(make_bert_normalizer(ComponentSettings("t", Json::object())), InputError);
}

}  // namespace
}  // namespace evenkeel
