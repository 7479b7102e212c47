#include "io/word_piece.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

// The example of the published code of BERT (tokenization_test.py).
Json published() {
  return {{"vocab",
           {{"[UNK]", 0},
            {"want", 1},
            {"##want", 2},
            {"##ed", 3},
            {"un", 4},
            {"runn", 5},
            {"##ing", 6},
            {"##é", 7}}},
          {"max_input_chars_per_word", 8}};
}

Tokens ids(const Json& model, std::string_view word, WordBytes bytes = WordBytes::text) {
  Tokens found;
  make_word_piece(ComponentSettings("t.json: model", model), bytes)->append_ids(word, found);
  return found;
}

TEST(WordPiece, TakesTheLongestPieces) {
  EXPECT_EQ(ids(published(), "unwanted"), (Tokens{4, 2, 3}));
  EXPECT_EQ(ids(published(), "running"), (Tokens{5, 6}));
  EXPECT_EQ(ids(published(), "uné"), (Tokens{4, 7}));
}

TEST(WordPiece, AWordThatCannotBeSpeltIsUnknownAsAWhole) {
  EXPECT_EQ(ids(published(), "unwantedX"), Tokens{0});
  EXPECT_EQ(ids(published(), "unwantX"), Tokens{0});
  EXPECT_EQ(ids(published(), "edun"), Tokens{0});
}

TEST(WordPiece, TheLimitCountsCharacters) {
  EXPECT_EQ(ids(published(), "unéééééé"), (Tokens{4, 7, 7, 7, 7, 7, 7}));
  EXPECT_EQ(ids(published(), "unééééééé"), Tokens{0});
}

TEST(WordPiece, ReadsBytesInTheirAlphabet) {
  Json model = published();
  model["vocab"]["Ġwant"] = 8;
  EXPECT_EQ(ids(model, " wanted", WordBytes::byte_level), (Tokens{8, 3}));
}

TEST(WordPiece, NeedsItsUnknownToken) {
  Json model = published();
  model["unk_token"] = "?";
  EXPECT_THROW(ids(model, "a"), InputError);
}

}  // namespace
}  // namespace evenkeel
