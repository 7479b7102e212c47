#include "calib/evaluation_texts.h"

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

TEST(ModelTokenizerTest, IsReadForTextAlone) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny / "model");
  const LanguageModel model(checkpoint);
  std::filesystem::remove(tiny / "model/tokenizer.json");
  const ModelTokenizer tokenizer(model);
  EXPECT_EQ(tokenizer.for_file("ids.safetensors"), nullptr);
  EXPECT_EQ(tokenizer.for_file("ids.h5"), nullptr);
  for (const char* text : {"a.txt", "a.jsonl", "a"}) {
    support::expect_error<InputError>([&] { tokenizer.for_file(text); },
                                      tiny / "model/tokenizer.json", {});
  }
}

TEST(ModelTokenizerTest, IsReadOnce) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny / "model");
  const LanguageModel model(checkpoint);
  const ModelTokenizer tokenizer(model);
  const Tokenizer* first = tokenizer.for_file("a.txt");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first, &tokenizer.get());
}

TEST(ModelTokenizerTest, MustNotGiveIdsBeyondTheEmbedding) {
  for (const Index vocabulary : {261, 262}) {  // ids go to 261
    support::TinyOpt options;
    options.vocabulary = vocabulary;
    const support::TinyJob tiny(options);
    const Checkpoint checkpoint(tiny / "model");
    const LanguageModel model(checkpoint);
    const ModelTokenizer tokenizer(model);
    if (vocabulary == 262) {
      EXPECT_NO_THROW(tokenizer.get());
      continue;
    }
    support::expect_error<InputError>([&] { tokenizer.get(); }, tiny / "model",
                                      {"ids up to 261", "'vocab_size' is 261"});
  }
}

TEST(EvaluationTextsTest, TextBecomesWindowsUnderItsName) {
  const support::TinyJob tiny;
  support::write_bytes(tiny / "a.txt", "hell" + std::string(9, 'x') + "tail");
  const Checkpoint checkpoint(tiny / "model");
  const LanguageModel model(checkpoint);
  const ModelTokenizer tokenizer(model);
  EvaluationOptions options;
  options.perplexity = {tiny / "a.txt"};
  options.sequence_length = 5;
  const auto texts = read_evaluation_texts(model, tokenizer, options, {"texts", "tasks", "length"});
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].label, "a.txt");
  // "hell" is one token; 14 tokens give two windows of five.
  EXPECT_EQ(texts[0].windows,
            without_types({{258, 'x', 'x', 'x', 'x'}, {'x', 'x', 'x', 'x', 'x'}}));
  options.windows = 1;
  EXPECT_EQ(read_evaluation_texts(model, tokenizer, options, {"texts", "tasks", "length"})[0]
                .windows.size(),
            1U);
  EXPECT_TRUE(read_evaluation_texts(model, tokenizer, {}, {"texts", "tasks", "length"}).empty());
}

TEST(EvaluationTextsTest, LengthIsAtMostThePositions) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny / "model");
  const LanguageModel model(checkpoint);
  EXPECT_NO_THROW(check_length(model, 32, "length"));
  support::expect_error<UsageError>([&] { check_length(model, 33, "length"); }, "length: 33",
                                    {"32 positions", "lower it"});
}

}  // namespace
}  // namespace evenkeel
