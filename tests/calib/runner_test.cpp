// Whole jobs on a tiny checkpoint: what they leave, and what a failed one leaves alone.
#include "calib/runner.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "calib/evaluate.h"
#include "calib/output_folder.h"
#include "io/errors.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

using Settings = std::vector<std::string>;
constexpr const char* text = "evaluation.safetensors";
constexpr const char* last_weight = "model.decoder.layers.1.fc2.weight";

nlohmann::ordered_json run(const Job& job) {
  Progress silent;
  return run_job(job, silent);
}

double evaluated(const std::filesystem::path& checkpoint, const std::filesystem::path& file,
                 std::int64_t length = 16) {
  Progress silent;
  EvaluateOptions options;
  options.texts = {file};
  options.sequence_length = length;
  return evaluate_checkpoint(checkpoint, options, silent).scores.at(0).value;
}

struct Setting {
  std::string name;
  Settings settings;
};

class EveryScheme : public testing::TestWithParam<Setting> {};

TEST_P(EveryScheme, QuantizedCheckpointEvaluatesToTheSummarysFigure) {
  const support::TinyJob tiny;
  const auto summary = run(tiny.job(GetParam().settings));
  const auto& figures = summary.at("perplexity").at(text);
  EXPECT_EQ(figures.at("full_precision").get<double>(), evaluated(tiny / "model", tiny / text));
  // To the last bit: what is stored is what was evaluated.
  EXPECT_EQ(figures.at("quantized").get<double>(),
            evaluated(tiny.output() / "quantized", tiny / text));
  EXPECT_NE(figures.at("quantized"), figures.at("full_precision"));
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryScheme,
    testing::Values(
        Setting{"w8a8", {}}, Setting{"w6a6", {"scheme=w6a6"}}, Setting{"w4a4", {"scheme=w4a4"}},
        Setting{"minmax", {"transform={method: none}"}},
        Setting{"smoothquant", {"transform={method: smoothquant, alpha: 0.5}"}},
        Setting{"smoothquant_search", {"transform={method: smoothquant, alpha: search}"}},
        Setting{"exhaustive", {"transform.search=exhaustive"}},
        Setting{"full_precision", {"scheme.propagate=full_precision"}},
        Setting{"activations_per_token",
                {"scheme={weights: {bits: 8}, activations: {bits: 4, granularity: per_token}}"}},
        Setting{"activations_per_group",
                {"scheme={weights: {bits: 4}, activations: {bits: 4, granularity: per_group, "
                 "group_size: 5}}"}},
        Setting{"activations_per_channel",
                {"scheme={weights: {bits: 8}, activations: {bits: 8, granularity: per_channel}}"}},
        Setting{"activations_minmax",
                {"scheme={weights: {bits: 8}, activations: {bits: 8, "
                 "granularity: per_tensor, range: minmax}}"}},
        Setting{"weights_per_tensor",
                {"scheme={weights: {bits: 8, granularity: per_tensor}, activations: {bits: 8}}"}},
        Setting{"weights_per_tensor_packed",
                {"scheme={weights: {bits: 4, granularity: per_tensor}, activations: {bits: 8}}"}},
        Setting{"weights_per_group",
                {"scheme={weights: {bits: 4, granularity: per_group, "
                 "group_size: 8}, activations: {bits: 8}}"}},
        Setting{"symmetric",
                {"scheme={weights: {bits: 8, symmetric: true}, activations: "
                 "{bits: 8, symmetric: true}}"}},
        Setting{"symmetric_packed",
                {"scheme={weights: {bits: 4, symmetric: true}, activations: "
                 "{bits: 3, symmetric: true}}"}},
        Setting{"nodes",
                {"scheme={name: w6a6, nodes: {'*.input': {granularity: per_token}, "
                 "attention.probabilities: {granularity: per_head, codes: logarithmic}, "
                 "mlp.hidden: {granularity: per_channel}, blocks.1.mlp.hidden: {bits: 4}, "
                 "attention.value: {bits: 16}}}"}},
        Setting{"two_range",
                {"scheme={nodes: {attention.probabilities: {bits: 4, codes: two_range}, "
                 "mlp.hidden: {granularity: per_token, codes: two_range, split: 0.1}}}"}},
        Setting{"codes_of_tokens_in_full_precision",
                {"scheme={propagate: full_precision, nodes: {attention.probabilities: "
                 "{granularity: per_token, codes: logarithmic, steps_per_octave: 3}}}"}},
        Setting{"keep",
                {"scheme={keep: [mlp.hidden, 'blocks.0.attention.*', '*.layers.1.fc1', "
                 "'*out_proj']}"}},
        Setting{"keep_a_block", {"scheme={keep: [blocks.0]}"}},
        Setting{"weights_alone", {"scheme=w8a16"}},
        Setting{"weights_alone_in_groups",
                {"scheme={weights: {bits: 4, granularity: per_group, group_size: 8}, activations: "
                 "{bits: 16}}"}},
        Setting{"weights_alone_in_bytes", {"scheme={weights: {bits: 5}, activations: {bits: 16}}"}},
        Setting{"both_forms",
                {"scheme={weights: {bits: 4}, activations: {bits: 8}, nodes: {attention.input: "
                 "{bits: 16}}}"}},
        Setting{"two_bits", {"scheme={weights: {bits: 2}, activations: {bits: 2}}"}}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(RunnerTest, FoldedModelIsTheSameFunction) {
  for (const DType dtype : {DType::F32, DType::F16}) {
    support::TinyOpt options;
    options.dtype = dtype;
    const support::TinyJob tiny(options);
    const auto summary = run(tiny.job());
    const double full = summary.at("perplexity").at(text).at("full_precision");
    // A folded parameter is off by half a unit in its last place. Through 2 blocks of 3 layers of
    // products each, and to first order, the log-likelihood moves by about as many units of the
    // logits' magnitude (about 10); 64 leaves room for the outliers.
    const double unit = dtype == DType::F32 ? 0x1p-24 : 0x1p-11;
    EXPECT_NEAR(std::log(evaluated(tiny.output() / "model", tiny / text)), std::log(full),
                64.0 * unit)
        << name_of(dtype);
    EXPECT_NE(support::read_bytes(tiny.output() / "model/model.safetensors"),
              support::read_bytes(tiny / "model/model.safetensors"));
  }
}

TEST(RunnerTest, LinearsWithoutBiasAreScaledButNotShifted) {
  support::TinyOpt options;
  options.bias = false;
  const support::TinyJob tiny(options);
  const auto summary = run(tiny.job());
  EXPECT_EQ(summary.at("perplexity").at(text).at("quantized").get<double>(),
            evaluated(tiny.output() / "quantized", tiny / text));
  EXPECT_GT(summary.at("sites").size(), 0U);
}

TEST(RunnerTest, TextIsTokenizedAlike) {
  const support::TinyJob tiny;
  support::write_bytes(tiny / "a.txt",
                       std::string(40, 'x') + "hello the ll" + std::string(80, 'y'));
  const auto summary = run(tiny.job({"calibration={corpus: a.txt, samples: 4, sequence_length: 16}",
                                     "evaluate.perplexity=[a.txt]"}));
  EXPECT_EQ(summary.at("perplexity").at("a.txt").at("quantized").get<double>(),
            evaluated(tiny.output() / "quantized", tiny / "a.txt"));
}

TEST(RunnerTest, NoEvaluationNoPerplexity) {
  const support::TinyJob tiny;
  Job job = tiny.job();
  job.evaluate.perplexity.clear();
  const auto summary = run(job);
  EXPECT_TRUE(summary.at("perplexity").empty());
  EXPECT_EQ(summary.at("sites").size(), 4U);
}

TEST(RunnerTest, SummaryFileHoldsWhatIsReturned) {
  const support::TinyJob tiny;
  const auto summary = run(tiny.job());
  EXPECT_EQ(nlohmann::ordered_json::parse(support::read_bytes(tiny.output() / "summary.json")),
            summary);
}

TEST(RunnerTest, SameBytesAgainAndForAnyNumberOfThreads) {
  const support::TinyJob tiny;
  support::FileBytes first;
  for (const std::size_t threads : {1U, 2U, 2U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    run(tiny.job());
    const support::FileBytes files = support::outputs_below(tiny.output());
    if (first.empty()) first = files;
    ASSERT_EQ(files.size(), first.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
      EXPECT_EQ(files[i].first, first[i].first);
      EXPECT_TRUE(files[i].second == first[i].second) << files[i].first << ", " << threads;
    }
  }
  EXPECT_GE(first.size(), 8U);  // two checkpoints of three files, the record, the summary
}

// A job that fails after another has succeeded.
class FailingJob : public testing::Test {
 protected:
  FailingJob() {
    run(tiny_.job());
    before_ = support::files_below(tiny_.output());
  }

  template <class Error>
  void expect_failure(const Job& job, const std::string& part) {
    try {
      run(job);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    EXPECT_TRUE(support::files_below(tiny_.output()) == before_);
    EXPECT_FALSE(std::filesystem::exists(tiny_.output() / ".staging"));
  }

  support::TinyJob tiny_;
  support::FileBytes before_;
};

void corrupt(const support::TinyJob& tiny, const std::string& tensor, float value) {
  support::TinyOpt options;
  options.change = [&](const std::string& name, std::vector<float>& values) {
    if (name == tensor) values.at(5) = value;
  };
  support::write_tiny_opt(tiny / "model", options);
}

TEST_F(FailingJob, NanInTheLastBlock) {
  corrupt(tiny_, last_weight, std::numeric_limits<float>::quiet_NaN());
  expect_failure<InputError>(tiny_.job(), last_weight);
  // Found while calibrating, not while evaluating.
  Job job = tiny_.job();
  job.evaluate.perplexity.clear();
  expect_failure<InputError>(job, last_weight);
}

TEST_F(FailingJob, OverflowInTheLastBlock) {
  corrupt(tiny_, "model.decoder.layers.1.self_attn_layer_norm.weight", 3e38F);
  Job job = tiny_.job();
  job.evaluate.perplexity.clear();
  for (const auto granularity : {Granularity::per_tensor, Granularity::per_token}) {
    for (const Method method : {Method::none, Method::smoothquant, Method::os_plus}) {
      SCOPED_TRACE(fmt::format("{}, {}", name_of(granularity), name_of(method)));
      job.scheme.activations.granularity = granularity;
      job.transform.method = method;
      expect_failure<InputError>(job, "block 1: attention.probabilities: ");
    }
  }
}

TEST_F(FailingJob, CorpusTooShort) {
  expect_failure<InputError>(tiny_.job({"calibration.samples=9"}), "calibration.safetensors");
}

TEST_F(FailingJob, IdOutsideTheVocabulary) {
  support::write_token_ids(tiny_ / text, 4, 16, 1, 5000);
  expect_failure<InputError>(tiny_.job(), text);
}

TEST_F(FailingJob, MissingTokenizer) {
  support::write_bytes(tiny_ / "a.txt", std::string(500, 'x'));
  std::filesystem::remove(tiny_ / "model/tokenizer.json");
  expect_failure<InputError>(tiny_.job({"calibration.corpus=a.txt"}), "tokenizer.json");
}

TEST_F(FailingJob, SequenceLongerThanPositions) {
  support::write_token_ids(tiny_ / text, 2, 64, 1);
  support::write_token_ids(tiny_ / "calibration.safetensors", 6, 64, 1);
  expect_failure<UsageError>(tiny_.job({"evaluate.sequence_length=33"}),
                             "evaluate.sequence_length: 33 is longer than the model's 32");
  expect_failure<UsageError>(tiny_.job({"calibration.sequence_length=33"}),
                             "calibration.sequence_length: 33 is longer than the model's 32");
  EXPECT_NO_THROW(run(tiny_.job({"calibration.sequence_length=32"})));
}

TEST_F(FailingJob, TwoTextsOfOneName) {
  std::filesystem::create_directory(tiny_ / "other");
  support::write_token_ids(tiny_ / "other" / text, 2, 16, 1);
  expect_failure<UsageError>(
      tiny_.job({"evaluate.perplexity=[evaluation.safetensors, other/evaluation.safetensors]"}),
      "two files are named 'evaluation.safetensors'");
}

TEST_F(FailingJob, GroupsThatDoNotDivide) {
  const Job job =
      tiny_.job({"scheme={weights: {bits: 4, granularity: per_group, group_size: 16}, activations: "
                 "{bits: 8}}"});  // 16 channels, but 24 in the MLP
  // Before any text is read.
  std::filesystem::remove(tiny_ / "calibration.safetensors");
  expect_failure<UsageError>(job,
                             "scheme.weights: 'model.decoder.layers.0.fc2': group_size 16 does not "
                             "divide its 24 input channels, and the compressed-tensors layout has "
                             "no short groups; use a divisor such as 12");
}

TEST_F(FailingJob, AnotherJobWritesThere) {
  const OutputFolder other(tiny_.output());
  EXPECT_THROW(run(tiny_.job()), MachineError);
}

TEST(RunnerTest, MemoryLimitChangesNoByte) {
  const support::TinyJob tiny;
  Job job = tiny.job();
  const auto outputs_of = [&](std::uint64_t limit) {
    job.memory_limit = limit;
    run(job);
    auto files = support::outputs_below(tiny.output());
    std::erase_if(files, [](const auto& file) { return file.first == "summary.json"; });
    return files;
  };
  const auto expected = outputs_of(default_memory_limit);
  EXPECT_GT(expected.size(), 5U);
  // 6 calibration windows and 4 of evaluation, 16 tokens of 16 floats each: some of the samples,
  // all of them and some of the text, all of both.
  constexpr std::uint64_t window = 16 * 16 * 4;
  for (const std::uint64_t limit : {std::uint64_t{1}, 3 * window, 8 * window, 10 * window}) {
    EXPECT_EQ(outputs_of(limit), expected) << limit;
  }
}

TEST(RunnerTest, FirstJobThatFailsLeavesNoFolder) {
  const support::TinyJob tiny;
  corrupt(tiny, last_weight, std::numeric_limits<float>::infinity());
  EXPECT_THROW(run(tiny.job()), InputError);
  EXPECT_FALSE(std::filesystem::exists(tiny.output()));
}

TEST(RunnerTest, SecondJobReplacesTheFirst) {
  const support::TinyJob tiny;
  run(tiny.job());
  support::write_bytes(tiny.output() / "notes.txt", "mine");
  const auto summary = run(tiny.job({"scheme=w4a4"}));
  EXPECT_EQ(summary.at("perplexity").at(text).at("quantized").get<double>(),
            evaluated(tiny.output() / "quantized", tiny / text));
  EXPECT_EQ(support::read_bytes(tiny.output() / "notes.txt"), "mine");
}

TEST(RunnerTest, QuickstartsModelEvaluatesToTheSummarysFigure) {
  const std::filesystem::path quickstart =
      std::filesystem::path(EVENKEEL_SOURCE_DIR) / "configs/quickstart";
  const support::ScratchFolder scratch;
  const Job job = load_job(quickstart / "calibrate.yaml",
                           {"calibration.samples=2", "calibration.batch=1",
                            "transform={method: smoothquant, alpha: 0.5}", "evaluate.windows=2",
                            "output=" + (scratch / "out").string()});
  const auto summary = run(job);
  Progress silent;
  EvaluateOptions options;
  options.texts = job.evaluate.perplexity;
  options.sequence_length = job.evaluate.sequence_length;
  options.windows = 2;
  const auto stored = evaluate_checkpoint(scratch / "out/quantized", options, silent).scores;
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].value, summary.at("perplexity").at(stored[0].label).at("quantized"));
}

}  // namespace
}  // namespace evenkeel
