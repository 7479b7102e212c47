#include "io/added_tokens.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

using nlohmann::json;
using support::added_token;
using Strings = std::vector<std::string>;

Vocabulary ten_tokens() {
  Vocabulary vocabulary;
  for (TokenId id = 0; id < 9; ++id) vocabulary.add(std::to_string(id), id, "vocabulary");
  vocabulary.add("in", 9, "vocabulary");
  return vocabulary;
}

AddedTokens made(const std::vector<json>& list, const Normalizer* normalizer = nullptr) {
  return AddedTokens(nlohmann::ordered_json(json(list)), "t.json", ten_tokens(), normalizer);
}

// Texts as they are, ids as "#10".
Strings pieces(const AddedTokens& tokens, std::string_view text,
               const Normalizer* normalizer = nullptr) {
  Strings found;
  tokens.split(text, normalizer, [&found](const AddedTokens::Piece& piece) {
    const auto* id = std::get_if<TokenId>(&piece);
    found.push_back(id != nullptr ? "#" + std::to_string(*id)
                                  : std::string(std::get<std::string_view>(piece)));
    return true;
  });
  return found;
}

json with(json token, const char* flag) {
  token[flag] = true;
  return token;
}

std::string fault(const json& list) {
  try {
    AddedTokens(nlohmann::ordered_json(list), "t.json", ten_tokens(), nullptr);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(AddedTokens, AreCutOutOfTheText) {
  const AddedTokens tokens = made({added_token(10, "<a>"), added_token(11, "<a><b>")});
  EXPECT_EQ(pieces(tokens, "x<a>y<a><b>"), (Strings{"x", "#10", "y", "#11"}));
  EXPECT_EQ(pieces(tokens, "<a><a>"), (Strings{"#10", "#10"}));
  EXPECT_EQ(pieces(tokens, "xyz"), (Strings{"xyz"}));
  EXPECT_EQ(pieces(tokens, ""), Strings{});
  EXPECT_EQ(tokens.size(), 12);
}

TEST(AddedTokens, SingleWordsStandAlone) {
  const AddedTokens tokens = made({with(added_token(10, "ab"), "single_word")});
  EXPECT_EQ(pieces(tokens, "ab ab, (ab)"), (Strings{"#10", " ", "#10", ", (", "#10", ")"}));
  EXPECT_EQ(pieces(tokens, "abc"), (Strings{"abc"}));
  EXPECT_EQ(pieces(tokens, "ab_ éab 1ab"), (Strings{"ab_ éab 1ab"}));
  EXPECT_EQ(pieces(tokens, "ab\u0301"), (Strings{"ab\u0301"}));  // a mark is part of a word
}

TEST(AddedTokens, StripTheWhiteSpaceBesideThem) {
  const AddedTokens left = made({with(added_token(10, "<a>"), "lstrip")});
  EXPECT_EQ(pieces(left, "x \u3000<a> y"), (Strings{"x", "#10", " y"}));
  EXPECT_EQ(pieces(left, " <a>"), (Strings{"#10"}));
  const AddedTokens right = made({with(added_token(10, "<a>"), "rstrip")});
  EXPECT_EQ(pieces(right, "x <a> \n y"), (Strings{"x ", "#10", "y"}));
  EXPECT_EQ(pieces(right, "<a> "), (Strings{"#10"}));
}

TEST(AddedTokens, AStrippedSpaceMayStillBeginAToken) {
  const AddedTokens tokens = made({with(added_token(10, "<a>"), "rstrip"), added_token(11, " b")});
  EXPECT_EQ(pieces(tokens, "<a>  bc"), (Strings{"#10", "#11", "c"}));
}

class Lowercase : public Normalizer {
 public:
  std::string normalized(std::string_view text) const override {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return lower;
  }
};

TEST(AddedTokens, NormalizedOnesAreFoundInTheNormalizedText) {
  const Lowercase lowercase;
  const AddedTokens tokens =
      made({with(added_token(10, "AB"), "normalized"), added_token(11, "CD")}, &lowercase);
  EXPECT_EQ(pieces(tokens, "XabY CD cd aB", &lowercase),
            (Strings{"x", "#10", "y ", "#11", " cd ", "#10"}));
}

TEST(AddedTokensFaults, TwoThatAreTheSameWhenNormalized) {
  const Lowercase lowercase;
  const json upper = with(added_token(10, "AB"), "normalized");
  const json lower = with(added_token(11, "ab"), "normalized");
  try {
    made({upper, lower}, &lowercase);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "t.json: added_tokens[1]: token 'ab' is 'ab' when normalized, and so is the token "
                 "of id 10; make one of them not 'normalized'");
  }
  made({upper, with(added_token(11, "abc"), "normalized")}, &lowercase);
  made({upper, added_token(11, "ab")}, &lowercase);
}

TEST(AddedTokens, StopWhenAsked) {
  const AddedTokens tokens = made({added_token(10, "a")});
  int seen = 0;
  EXPECT_FALSE(
      tokens.split("xaxaxa", nullptr, [&seen](const AddedTokens::Piece&) { return ++seen < 3; }));
  EXPECT_EQ(seen, 3);
}

TEST(AddedTokens, KnowWhichAreSpecial) {
  const AddedTokens tokens = made({with(added_token(10, "<a>"), "special"), added_token(9, "in")});
  EXPECT_TRUE(tokens.is_special(10));
  EXPECT_FALSE(tokens.is_special(9));
  EXPECT_FALSE(tokens.is_special(0));
  EXPECT_FALSE(tokens.is_special(-1));
}

TEST(AddedTokensFaults, NameTheirPlace) {
  EXPECT_EQ(fault(nullptr), "no error");
  EXPECT_EQ(fault(3), "t.json: 'added_tokens': expected a list");
  EXPECT_EQ(fault(json::array({added_token(10, "")})),
            "t.json: added_tokens[0]: 'content' is empty");
  EXPECT_EQ(fault(json::array({added_token(12, "a")})),
            "t.json: added_tokens[0]: token 'a' has id 12, but by the vocabulary and the tokens "
            "before it its id is 10; correct the file");
  EXPECT_EQ(fault(json::array({added_token(10, "in")})),
            "t.json: added_tokens[0]: token 'in' has id 10, but by the vocabulary and the tokens "
            "before it its id is 9; correct the file");
  EXPECT_EQ(fault(json::array({added_token(9, "in"), added_token(9, "in")})),
            "t.json: added_tokens[1]: token 'in' has id 9, which an added token before it has");
  EXPECT_EQ(fault(json::array({added_token(-1, "a")})),
            "t.json: added_tokens[0]: 'id': expected a token id in [0, 2147483646], got -1");
  json token = added_token(10, "a");
  token.erase("rstrip");
  EXPECT_EQ(fault(json::array({token})),
            "t.json: added_tokens[0]: 'rstrip' is missing: expected true or false");
  token.erase("id");
  EXPECT_EQ(fault(json::array({token})), "t.json: added_tokens[0]: 'id' is missing");
  EXPECT_NE(fault(json::array({"a"})).find("added_tokens[0]"), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
