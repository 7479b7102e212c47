// Whole calibrations of weights alone, judged by perplexity: GPTQ beside llm-compressor's on the
// same samples, GPTQ and AWQ beside rounding to the nearest.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/calibration.h"
#include "calib/job_inputs.h"
#include "io/checkpoint.h"
#include "io/corpus.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

constexpr const char* calibration_file = "data/corpus/calibration.jsonl";
constexpr const char* text_file = "data/corpus/heldout.jsonl";

struct Run {
  std::string name;
  std::string model;
  double gptq;  // perplexity of llm-compressor 0.14, ../shared/design/reference.md
};

std::string folder_of(const Run& run) { return "models/" + run.model; }

double perplexity(const Run& run, Method method, const TensorScheme& weights) {
  const Checkpoint checkpoint(support::shared_file(folder_of(run)));
  const LanguageModel model(checkpoint);
  const Tokenizer tokenizer(support::shared_file(folder_of(run)) / "tokenizer.json");
  const auto vocabulary = static_cast<TokenId>(model.architecture().vocabulary);
  const auto samples =
      read_windows(support::shared_file(calibration_file), 512, 32, &tokenizer, vocabulary);
  const std::vector<EvaluationText> texts{
      read_evaluation_text(support::shared_file(text_file), 512, 32, &tokenizer, vocabulary)};
  BlockOptions options;
  options.transform.method = method;
  options.scheme = *scheme_named("w4a16");
  options.scheme.weights = weights;
  options.keep = false;
  Progress silent;
  Stopwatch stopwatch;
  return calibrate_model(model, without_types(samples), options, texts, nullptr, silent, stopwatch)
      .scores.at(0)
      .value;
}

class WeightOnlyRun : public testing::TestWithParam<Run> {};

TEST_P(WeightOnlyRun, GptqIsThatOfLlmCompressorAndBelowNearest) {
  EVENKEEL_NEEDS_SHARED(folder_of(GetParam()));
  EVENKEEL_NEEDS_SHARED(calibration_file);
  EVENKEEL_NEEDS_SHARED(text_file);
  TensorScheme weights = scheme_named("w4a16")->weights;
  const double nearest = perplexity(GetParam(), Method::none, weights);
  weights.rounding = Rounding::gptq;
  const double gptq = perplexity(GetParam(), Method::none, weights);
  RecordProperty("gptq", std::to_string(gptq));
  RecordProperty("nearest", std::to_string(nearest));
  EXPECT_LE(gptq, 1.01 * GetParam().gptq);
  EXPECT_LT(gptq, nearest);
}

// With the published setting's zero points.
TEST_P(WeightOnlyRun, AwqIsBelowNearest) {
  EVENKEEL_NEEDS_SHARED(folder_of(GetParam()));
  EVENKEEL_NEEDS_SHARED(calibration_file);
  EVENKEEL_NEEDS_SHARED(text_file);
  TensorScheme weights = scheme_named("w4a16")->weights;
  weights.symmetric = false;
  const double nearest = perplexity(GetParam(), Method::none, weights);
  const double awq = perplexity(GetParam(), Method::awq, weights);
  RecordProperty("awq", std::to_string(awq));
  RecordProperty("nearest", std::to_string(nearest));
  EXPECT_LT(awq, nearest);
}

INSTANTIATE_TEST_SUITE_P(Models, WeightOnlyRun,
                         testing::Values(Run{"opt", "opt-17m-old", 16.293},
                                         Run{"llama", "llama-17m", 16.712}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace evenkeel
