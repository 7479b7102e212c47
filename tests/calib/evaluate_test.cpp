#include "calib/evaluate.h"

#include <string>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using support::expect_error;
constexpr const char* text = "evaluation.safetensors";

EvaluateOptions options_of(const support::TinyJob& tiny) {
  EvaluateOptions options;
  options.texts = {tiny / text};
  options.sequence_length = 16;
  return options;
}

EvaluateResult evaluate(const std::filesystem::path& checkpoint, const EvaluateOptions& options) {
  Progress silent;
  return evaluate_checkpoint(checkpoint, options, silent);
}

TEST(EvaluateTest, DynamicSchemeGivesAJobsFigureWithoutAJob) {
  const support::TinyJob tiny;
  Progress silent;
  const auto summary = run_job(
      tiny.job({"transform={method: none}",
                "scheme={weights: {bits: 4}, activations: {bits: 5, granularity: per_token}}"}),
      silent);
  EvaluateOptions options = options_of(tiny);
  options.scheme = Scheme{.weights = {.bits = 4, .granularity = Granularity::per_channel},
                          .activations = {.bits = 5, .granularity = Granularity::per_token}};
  const auto result = evaluate(tiny / "model", options);
  EXPECT_EQ(result.scores.at(0).value,
            summary.at("perplexity").at(text).at("quantized").get<double>());
  EXPECT_EQ(result.kind, "quantized: 4 bit weights per_channel, 5 bit activations per_token");
  EXPECT_EQ(evaluate(tiny / "model", options_of(tiny)).kind, "full precision");
  EXPECT_NE(evaluate(tiny / "model", options_of(tiny)).scores[0].value, result.scores[0].value);
}

TEST(EvaluateTest, NamesTheSchemeOfAQuantizedCheckpoint) {
  const support::TinyJob tiny;
  Progress silent;
  run_job(tiny.job({"scheme=w6a6"}), silent);
  EXPECT_EQ(evaluate(tiny.output() / "quantized", options_of(tiny)).kind, "quantized: w6a6");
}

TEST(EvaluateTest, SchemesThatCannotTakeEffect) {
  const support::TinyJob tiny;
  EvaluateOptions options = options_of(tiny);
  options.scheme = *scheme_named("w8a8");
  expect_error<UsageError>([&] { evaluate(tiny / "model", options); }, "--scheme",
                           {"w8a8", "calibrate run"});
  options.scheme->activations.granularity = Granularity::per_token;
  options.scheme->weights.rounding = Rounding::gptq;
  expect_error<UsageError>([&] { evaluate(tiny / "model", options); }, "--scheme",
                           {"gptq", "calibrate run"});
  Progress silent;
  run_job(tiny.job(), silent);
  expect_error<UsageError>([&] { evaluate(tiny.output() / "quantized", options); }, "--scheme",
                           {"quantized already"});
}

TEST(EvaluateTest, ALogWithoutExamplesIsRefusedBeforeTheWork) {
  const support::TinyJob tiny;
  EvaluateOptions options = options_of(tiny);
  options.texts = {tiny / "absent.txt"};  // not even looked at
  options.log_examples = true;
  expect_error<UsageError>([&] { evaluate(tiny / "model", options); }, "--log-examples",
                           {"texts have windows", "--task"});
}

TEST(EvaluateTest, WindowsAndLengths) {
  const support::TinyJob tiny;
  EvaluateOptions options = options_of(tiny);
  const double all = evaluate(tiny / "model", options).scores.at(0).value;
  options.windows = 4;
  EXPECT_EQ(evaluate(tiny / "model", options).scores.at(0).value, all);
  options.windows = 1;
  EXPECT_NE(evaluate(tiny / "model", options).scores.at(0).value, all);
  options.sequence_length = 33;
  expect_error<UsageError>([&] { evaluate(tiny / "model", options); }, "--sequence-length: 33",
                           {"longer than the model's 32 positions"});
  options.sequence_length = 17;  // rows are 16 long
  EXPECT_THROW(evaluate(tiny / "model", options), InputError);
  options.sequence_length = 1;  // nothing to predict
  EXPECT_THROW(evaluate(tiny / "model", options), Error);
}

TEST(EvaluateTest, TwoTextsOfOneName) {
  const support::TinyJob tiny;
  std::filesystem::create_directory(tiny / "other");
  support::write_token_ids(tiny / "other" / text, 4, 16, 3);
  EvaluateOptions options = options_of(tiny);
  options.texts.push_back(tiny / "other" / text);
  expect_error<UsageError>([&] { evaluate(tiny / "model", options); }, "--text",
                           {"two files are named 'evaluation.safetensors'"});
  std::filesystem::rename(tiny / "other" / text, tiny / "other/b.safetensors");
  options.texts.back() = tiny / "other/b.safetensors";
  const auto result = evaluate(tiny / "model", options);
  ASSERT_EQ(result.scores.size(), 2U);
  EXPECT_EQ(result.scores[0].label, text);
  EXPECT_EQ(result.scores[1].label, "b.safetensors");
}

}  // namespace
}  // namespace evenkeel
