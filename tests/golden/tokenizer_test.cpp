#include "io/tokenizer.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/shared_files.h"

namespace evenkeel {
namespace {

// Texts and their ids by PyPI's `tokenizers`, for the tokenizer.json of a model.
struct Golden {
  const char* texts;
  const char* tokenizer;
};

class GoldenTokenizer : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTokenizer, GivesTheIdsOfThePublishedLibrary) {
  const std::string texts = std::string("golden/tokenizers/") + GetParam().texts;
  const std::string file = GetParam().tokenizer;
  EVENKEEL_NEEDS_SHARED(texts);
  EVENKEEL_NEEDS_SHARED(file);
  const Tokenizer tokenizer(support::shared_file(file));
  std::ifstream lines(support::shared_file(texts));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const nlohmann::json expected = nlohmann::json::parse(line);
    const auto text = expected.at("text").get<std::string>();
    EXPECT_EQ(tokenizer.encode(text), expected.at("ids").get<Tokens>())
        << texts << ":" << number << ": " << text;
    EXPECT_EQ(tokenizer.encode(text, true), expected.at("ids_with_special_tokens").get<Tokens>())
        << texts << ":" << number << ": " << text;
  }
  EXPECT_GT(number, 100);
}

INSTANTIATE_TEST_SUITE_P(
    ByteLevelBpe, GoldenTokenizer,
    testing::Values(Golden{"opt-3m.jsonl", "models/opt-3m/tokenizer.json"},
                    Golden{"opt-17m.jsonl", "models/opt-17m-old/tokenizer.json"},
                    Golden{"llama-17m.jsonl", "models/llama-17m/tokenizer.json"},
                    Golden{"bloom-7m.jsonl", "models/bloom-7m/tokenizer.json"}));

INSTANTIATE_TEST_SUITE_P(WordPiece, GoldenTokenizer,
                         testing::Values(Golden{"wordpiece.jsonl",
                                                "golden/tokenizers/wordpiece.tokenizer.json"}));

}  // namespace
}  // namespace evenkeel
