#include "calib/scaling/text_bytes.h"

#include <string>

#include <gtest/gtest.h>

#include "io/file.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

const Tokenizer& tokenizer() {
  static const Tokenizer embedded(std::filesystem::path(EVENKEEL_SOURCE_DIR) /
                                  "configs/quickstart/opt-3m-outlier/tokenizer.json");
  return embedded;
}

TEST(TextBytes, AreTheShortestBeginningWithSoManyTokens) {
  const auto file =
      std::filesystem::path(EVENKEEL_SOURCE_DIR) / "configs/quickstart/evaluation.txt";
  const std::string text = read_text(file);
  for (const std::size_t tokens : {1U, 2U, 57U, 1000U}) {
    const auto bytes = text_bytes(file, tokens, tokenizer());
    ASSERT_TRUE(bytes.has_value());
    EXPECT_GE(tokenizer().encode(text.substr(0, *bytes)).size(), tokens);
    EXPECT_LT(tokenizer().encode(text.substr(0, *bytes - 1)).size(), tokens);
  }
}

TEST(TextBytes, CutNoCharacter) {
  const support::ScratchFolder folder;
  const auto file = folder / "text.txt";
  write_text(file, "\u00e4\u20ac\U0001F600 a");
  for (std::size_t tokens = 1; tokens < 6; ++tokens) {
    EXPECT_NO_THROW(text_bytes(file, tokens, tokenizer()));
  }
}

TEST(TextBytes, OfTokenIdsAreNotKnown) {
  EXPECT_FALSE(text_bytes("ids.safetensors", 3, tokenizer()).has_value());
}

}  // namespace
}  // namespace evenkeel
