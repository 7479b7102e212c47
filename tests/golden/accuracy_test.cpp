// A fine-tuned classifier against what transformers makes of it: its logits' classes for the first
// texts, and the accuracy measured when it was trained.
#include "calib/accuracy.h"

#include <cmath>

#include <gtest/gtest.h>

#include "calib/evaluate.h"
#include "calib/evaluation_stream.h"
#include "calib/evaluation_texts.h"
#include "io/checkpoint.h"
#include "io/json_reader.h"
#include "io/safetensors.h"
#include "support/shared_files.h"
#include "support/stored_values.h"

namespace evenkeel {
namespace {

constexpr const char* model_folder = "models/bert-sst2";
constexpr const char* dev = "data/sst2/dev.tsv";
constexpr const char* golden_file = "golden/bert-sst2.safetensors";

TEST(Accuracy, TokensAndClassesAreThoseOfTransformers) {
  EVENKEEL_NEEDS_SHARED(model_folder);
  EVENKEEL_NEEDS_SHARED(dev);
  EVENKEEL_NEEDS_SHARED(golden_file);
  const Checkpoint checkpoint(support::shared_file(model_folder));
  const LanguageModel model(checkpoint);
  const ModelTokenizer tokenizer(model);
  const SafetensorsFile golden(support::shared_file(golden_file));
  const auto ids = support::token_rows_of(golden.at("input_ids"));
  const auto mask = support::token_rows_of(golden.at("attention_mask"));
  const Matrix logits = support::matrix_of(golden.at("logits"));
  EvaluationOptions options;
  options.accuracy = {support::shared_file(dev)};
  options.examples = static_cast<std::int64_t>(ids.size());
  auto texts = read_evaluation_texts(model, tokenizer, options, {"texts", "tasks", "length"});
  ASSERT_EQ(texts.at(0).windows.size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Tokens real;  // golden texts are padded together, ours are not
    for (std::size_t token = 0; token < ids[i].size(); ++token) {
      if (mask[i][token] != 0) real.push_back(ids[i][token]);
    }
    EXPECT_EQ(texts[0].windows[i].ids, real) << "text " << i;
    logits.row(static_cast<Index>(i)).maxCoeff(&texts[0].classes[i]);
  }
  Progress silent;
  const auto scores = full_precision_scores(model, texts, silent);
  EXPECT_EQ(scores.at(0).correct, static_cast<std::int64_t>(ids.size()));
}

TEST(Accuracy, OfTheFirstTextsIsNearThatOfAll) {
  EVENKEEL_NEEDS_SHARED(model_folder);
  EVENKEEL_NEEDS_SHARED(dev);
  constexpr std::int64_t examples = 1000;
  const JsonReader training(support::shared_file(model_folder) / "training.json");
  const double expected = training.number("dev_accuracy", 0.0);
  EvaluateOptions options;
  options.texts = {support::shared_file(dev)};
  options.examples = examples;
  Progress silent;
  const auto result = evaluate_checkpoint(support::shared_file(model_folder), options, silent);
  ASSERT_EQ(result.scores.size(), 1U);
  EXPECT_EQ(result.scores[0].examples, examples);
  // Three standard errors of a sample; `calibrate evaluate` over all 6735 gives the figure itself.
  EXPECT_NEAR(result.scores[0].value, expected,
              3.0 * std::sqrt(expected * (1.0 - expected) / static_cast<double>(examples)));
  RecordProperty("accuracy", std::to_string(result.scores[0].value));
}

}  // namespace
}  // namespace evenkeel
