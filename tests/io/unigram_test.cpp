#include "io/unigram.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json small_model() {
  return Json::parse(R"({"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -1.5],
                                                ["ab", -2.0], ["abc", -9.0], ["c", -2.0]]})");
}

Tokens ids(const Json& model, std::string_view word) {
  Tokens found;
  make_unigram(ComponentSettings("t.json: model", model), WordBytes::text)->append_ids(word, found);
  return found;
}

std::string fault(const std::function<void(Json&)>& change, std::string_view word = "a") {
  Json model = small_model();
  change(model);
  try {
    ids(model, word);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Unigram, TakesTheMostProbablePath) {
  EXPECT_EQ(ids(small_model(), "ab"), Tokens{3});        // -2 against -2.5
  EXPECT_EQ(ids(small_model(), "abc"), (Tokens{3, 5}));  // -4 against -9 and -4.5
  EXPECT_EQ(ids(small_model(), "aab"), (Tokens{1, 3}));
}

TEST(Unigram, OfEqualPathsTheFirstFoundStays) {
  Json model = small_model();
  model["vocab"][3][1] = -2.5;
  // "ab" reaches the end from the first place, before "b" does from the second.
  EXPECT_EQ(ids(model, "ab"), Tokens{3});
}

TEST(Unigram, UnknownStretchesFuse) {
  EXPECT_EQ(ids(small_model(), "aéßb"), (Tokens{1, 0, 2}));
  EXPECT_EQ(ids(small_model(), "é<unk>é"), Tokens{0});
}

TEST(Unigram, ByteFallbackSpellsAStretch) {
  Json model = small_model();
  model["byte_fallback"] = true;
  model["vocab"].push_back(Json::array({"<0xC3>", -20.0}));
  model["vocab"].push_back(Json::array({"<0xA9>", -20.0}));
  EXPECT_EQ(ids(model, "aéé"), (Tokens{1, 6, 7, 6, 7}));
  EXPECT_EQ(ids(model, "éß"), Tokens{0});  // ß is C3 9F: the stretch cannot be spelt
}

TEST(UnigramFaults, SayWhatIsWrong) {
  EXPECT_EQ(fault([](Json& m) { m["vocab"] = Json::object(); }),
            "t.json: model: 'vocab': expected a list of tokens and their scores");
  EXPECT_EQ(fault([](Json& m) { m["vocab"][1] = Json::array({"a"}); }),
            "t.json: model.vocab[1]: expected a token and its score, [\"a\", -2.5]");
  EXPECT_EQ(fault([](Json& m) { m["unk_id"] = 6; }),
            "t.json: model: 'unk_id': 6 is not in the vocabulary of 6");
  EXPECT_NE(fault([](Json& m) { m["vocab"][2][0] = "a"; }).find("model.vocab[2]"),
            std::string::npos);
  EXPECT_EQ(fault([](Json& m) { m["unk_id"] = nullptr; }, "aé"),
            "t.json: model: the text has 'é', which no token spells, and 'unk_id' is null");
}

}  // namespace
}  // namespace evenkeel
