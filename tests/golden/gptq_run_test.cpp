// Whole calibrations with weights rounded by GPTQ, judged by perplexity beside llm-compressor's
// GPTQ on the same samples, and beside rounding to the nearest.
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
  double perplexity;  // of llm-compressor 0.14, ../shared/design/reference.md
};

class GptqRun : public testing::TestWithParam<Run> {};

TEST_P(GptqRun, PerplexityIsThatOfLlmCompressorAndBelowNearest) {
  const std::string model_folder = "models/" + GetParam().model;
  EVENKEEL_NEEDS_SHARED(model_folder);
  EVENKEEL_NEEDS_SHARED(calibration_file);
  EVENKEEL_NEEDS_SHARED(text_file);
  const Checkpoint checkpoint(support::shared_file(model_folder));
  const LanguageModel model(checkpoint);
  const Tokenizer tokenizer(support::shared_file(model_folder) / "tokenizer.json");
  const auto vocabulary = static_cast<TokenId>(model.architecture().vocabulary);
  const auto samples =
      read_windows(support::shared_file(calibration_file), 512, 32, &tokenizer, vocabulary);
  const std::vector<EvaluationText> texts{
      read_evaluation_text(support::shared_file(text_file), 512, 32, &tokenizer, vocabulary)};
  const auto perplexity = [&](Rounding rounding) {
    BlockOptions options;
    options.transform.method = Method::none;
    options.scheme = *scheme_named("w4a16");
    options.scheme.weights.rounding = rounding;
    options.keep = false;
    Progress silent;
    Stopwatch stopwatch;
    return calibrate_model(model, without_types(samples), options, texts, nullptr, silent,
                           stopwatch)
        .scores.at(0)
        .value;
  };
  const double gptq = perplexity(Rounding::gptq);
  const double nearest = perplexity(Rounding::nearest);
  RecordProperty("gptq", std::to_string(gptq));
  RecordProperty("nearest", std::to_string(nearest));
  EXPECT_LE(gptq, 1.01 * GetParam().perplexity);
  EXPECT_LT(gptq, nearest);
}

INSTANTIATE_TEST_SUITE_P(LlmCompressor, GptqRun,
                         testing::Values(Run{"opt", "opt-17m-old", 16.293},
                                         Run{"llama", "llama-17m", 16.712}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace evenkeel
