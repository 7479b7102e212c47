// Whole calibrations on the published OS+ program's own samples, judged by perplexity: at 6 bits
// two correct programs drift apart by several per cent, as a last-bit difference flips a code and
// attention amplifies it (measured between the published program and an independent one).
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/calibration.h"
#include "calib/job_inputs.h"
#include "io/checkpoint.h"
#include "support/shared_files.h"
#include "support/stored_values.h"

namespace evenkeel {
namespace {

constexpr const char* text_file = "data/corpus/heldout.jsonl";

struct Run {
  std::string name;
  std::string model;
  std::string samples;  // a golden file, whose input_ids are the samples
  Method method;
  std::string scheme;
  double perplexity;  // of the published program, ../shared/design/reference.md
  double tolerance;   // relative
};

std::string golden_file(const Run& run) { return "golden/os_plus/" + run.samples + ".safetensors"; }
std::string model_folder(const Run& run) { return "models/" + run.model; }

double perplexity(const Run& run) {
  const SafetensorsFile golden(support::shared_file(golden_file(run)));
  const Checkpoint checkpoint(support::shared_file(model_folder(run)));
  const LanguageModel model(checkpoint);
  const Tokenizer tokenizer(support::shared_file(model_folder(run)) / "tokenizer.json");
  const std::vector<EvaluationText> texts{
      read_evaluation_text(support::shared_file(text_file), 512, 32, &tokenizer,
                           static_cast<TokenId>(model.architecture().vocabulary))};
  BlockOptions options;
  options.transform.method = run.method;
  options.transform.search_samples = 8;
  options.scheme = *scheme_named(run.scheme);
  options.keep = false;
  Progress silent;
  Stopwatch stopwatch;
  const auto outcome =
      calibrate_model(model, without_types(support::token_rows_of(golden.at("input_ids"))), options,
                      texts, nullptr, silent, stopwatch);
  return outcome.scores.at(0).value;
}

class WholeRun : public testing::TestWithParam<Run> {};

TEST_P(WholeRun, PerplexityAgreesWithThePublishedProgram) {
  EVENKEEL_NEEDS_SHARED(golden_file(GetParam()));
  EVENKEEL_NEEDS_SHARED(model_folder(GetParam()));
  EVENKEEL_NEEDS_SHARED(text_file);
  const double found = perplexity(GetParam());
  EXPECT_NEAR(found, GetParam().perplexity, GetParam().tolerance * GetParam().perplexity);
  RecordProperty("perplexity", std::to_string(found));
}

constexpr const char* opt = "opt-3m-outlier";
constexpr const char* opt_samples = "opt-3m-outlier.os_plus.8";
constexpr const char* llama = "llama-17m";
constexpr const char* llama_samples = "llama-17m.os_plus.6";

INSTANTIATE_TEST_SUITE_P(
    Published, WholeRun,
    testing::Values(
        Run{"opt_os_plus_w8a8", opt, opt_samples, Method::os_plus, "w8a8", 19.09, 0.015},
        Run{"opt_os_plus_w6a6", opt, opt_samples, Method::os_plus, "w6a6", 44.3, 0.08},
        Run{"opt_minmax_w8a8", opt, opt_samples, Method::none, "w8a8", 33.9, 0.05},
        Run{"llama_os_plus_w6a6", llama, llama_samples, Method::os_plus, "w6a6", 18.95, 0.05},
        Run{"llama_minmax_w6a6", llama, llama_samples, Method::none, "w6a6", 21.35, 0.05}),
    [](const auto& parameter) { return parameter.param.name; });

// Of the full-precision figure, which is the published program's too.
TEST(RecommendedScheme, OfSixBitsStaysWithin15Percent) {
  const struct Run run {
    "recommended", opt, opt_samples, Method::os_plus, "recommended_w6a6", 18.02, 0.15
  };
  EVENKEEL_NEEDS_SHARED(golden_file(run));
  EVENKEEL_NEEDS_SHARED(model_folder(run));
  EVENKEEL_NEEDS_SHARED(text_file);
  EXPECT_LE(perplexity(run), (1.0 + run.tolerance) * run.perplexity);
}

}  // namespace
}  // namespace evenkeel
