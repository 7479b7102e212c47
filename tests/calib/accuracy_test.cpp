#include "calib/accuracy.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/compare/compare.h"
#include "calib/evaluate.h"
#include "calib/evaluation_texts.h"
#include "calib/runner.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "model/forward.h"
#include "support/checkpoint_edits.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_bert.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::expect_error;
using Json = nlohmann::ordered_json;

// The class of one text, computed plainly: one text at a time, without a stream.
Index plain_class(const LanguageModel& model, const Encoding& text) {
  const Architecture& architecture = model.architecture();
  Matrix hidden = model.embed(text.ids, {}, text.types);
  Workspace workspace;
  NoTap tap;
  for (Index number = 0; number < architecture.blocks; ++number) {
    const Block block = load_block(model.checkpoint(), architecture, number);
    forward(architecture, block, hidden, {}, tap, workspace);
  }
  model.finish(hidden);
  const Matrix logits = model.logits(hidden);
  Index best = 0;
  logits.row(0).maxCoeff(&best);
  return best;
}

// A classifier with labelled texts of several lengths, and a job over them.
class AccuracyTest : public testing::Test {
 protected:
  AccuracyTest() {
    support::write_tiny_bert(folder_ / "model");
    std::string rows = "sentence\tlabel\n";
    for (int i = 0; i < 23; ++i) {
      rows += std::string(static_cast<std::size_t>(1 + 7 * i % 30), static_cast<char>('a' + i)) +
              " the\t" +
              (i % 3 == 0   ? "bad"
               : i % 3 == 1 ? "1"
                            : "class 2") +
              "\n";
    }
    write("dev.tsv", rows);
    write("pairs.jsonl",
          "{\"text\": \"hell\", \"text_pair\": \"the the\", \"label\": \"good\"}\n"
          "{\"text\": \"a long text that is cut\", \"text_pair\": \"b\", \"label\": 0}\n");
    write("job.yaml", R"(model: model
calibration: {corpus: dev.tsv, samples: 9, sequence_length: 12, batch: 4}
transform: {method: os_plus, search_samples: 4}
scheme: w6a6
evaluate: {accuracy: [dev.tsv, pairs.jsonl]}
output: out
)");
  }

  void write(const std::string& name, const std::string& text) const {
    support::write_bytes(folder_ / name, text);
  }
  Job job(const std::vector<std::string>& settings = {}) const {
    return load_job(folder_ / "job.yaml", settings);
  }
  EvaluateResult evaluate(const std::string& model, const EvaluateOptions& options) const {
    Progress silent;
    return evaluate_checkpoint(folder_ / model, options, silent);
  }
  EvaluateOptions dev() const {
    EvaluateOptions options;
    options.texts = {folder_ / "dev.tsv"};
    return options;
  }

  support::ScratchFolder folder_;
};

TEST_F(AccuracyTest, IsTheShareOfTextsWhoseLargestLogitIsTheirLabels) {
  const Checkpoint checkpoint(folder_ / "model");
  const LanguageModel model(checkpoint);
  const ModelTokenizer tokenizer(model);
  EvaluationOptions options;
  options.accuracy = {folder_ / "dev.tsv", folder_ / "pairs.jsonl"};
  const auto texts = read_evaluation_texts(model, tokenizer, options, {"texts", "tasks", "length"});
  ASSERT_EQ(texts.size(), 2U);
  EvaluateOptions asked = dev();
  asked.texts.push_back(folder_ / "pairs.jsonl");
  const auto result = evaluate("model", asked);
  EXPECT_EQ(result.metric, Metric::accuracy);
  EXPECT_EQ(result.sequence_length, 128);
  ASSERT_EQ(result.scores.size(), 2U);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::int64_t correct = 0;
    for (std::size_t text = 0; text < texts[i].windows.size(); ++text) {
      if (plain_class(model, texts[i].windows[text]) == texts[i].classes[text]) ++correct;
    }
    EXPECT_EQ(result.scores[i].correct, correct);
    EXPECT_EQ(result.scores[i].examples, static_cast<std::int64_t>(texts[i].windows.size()));
    EXPECT_EQ(result.scores[i].value,
              static_cast<double>(correct) / static_cast<double>(texts[i].windows.size()));
  }
  EXPECT_GT(result.scores[0].correct, 0);
  EXPECT_LT(result.scores[0].correct, 23);
}

TEST_F(AccuracyTest, TextsAreWholeWithSpecialTokensAndTypesAndCutAtPositions) {
  const Checkpoint checkpoint(folder_ / "model");
  const LanguageModel model(checkpoint);
  const ModelTokenizer tokenizer(model);
  EvaluationOptions options;
  options.accuracy = {folder_ / "pairs.jsonl"};
  const auto pairs = read_evaluation_texts(model, tokenizer, options, {"", "", ""}).at(0);
  EXPECT_EQ(pairs.classes, (std::vector<Index>{1, 0}));
  EXPECT_EQ(pairs.windows[0].ids, (Tokens{262, 258, 263, 't', 257, 260, 263}));
  EXPECT_EQ(pairs.windows[0].types, (Tokens{0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(pairs.windows[1].ids.size(), 24U);  // the positions, which are fewer than 128
  options.sequence_length = 9;
  options.examples = 1;
  EXPECT_EQ(read_evaluation_texts(model, tokenizer, options, {"", "", ""}).at(0).windows.size(),
            1U);
}

TEST_F(AccuracyTest, OfEqualLogitsTheFirstCounts) {
  support::change_tensors(folder_ / "model", [](auto& tensors) {
    for (const char* name : {"classifier.weight", "classifier.bias"}) {
      auto& bytes = support::tensor_named(tensors, name).bytes;
      std::fill(bytes.begin(), bytes.end(), '\0');
    }
  });
  EXPECT_EQ(evaluate("model", dev()).scores.at(0).correct, 8);  // of "bad", the first class
}

TEST_F(AccuracyTest, LogitsThatAreNoNumbersAreRefused) {
  const Checkpoint checkpoint(folder_ / "model");
  const LanguageModel model(checkpoint);
  const std::vector<Encoding> windows{{.ids = {262, 263}}};
  HiddenStream states(model, windows);
  states.change(0, [](Matrix& state) { state.setConstant(std::nanf("")); });
  expect_error<InputError>(
      [&] {
        accuracy_of(model, {{.label = "dev.tsv", .windows = windows, .classes = {0}}}, states);
      },
      "dev.tsv", {"text 1", "not finite"});
}

TEST_F(AccuracyTest, AJobsFigureIsThatOfWhatItWrote) {
  for (const std::string method : {"none", "smoothquant", "os_plus"}) {
    for (const bool plain : {false, true}) {
      if (plain && method == "none") continue;
      SCOPED_TRACE(method + (plain ? " plain" : ""));
      Progress silent;
      std::vector<std::string> settings{"transform={method: " + method + "}"};
      if (plain) {
        settings.emplace_back("transform.plain_layout=true");
        settings.emplace_back("transform.sites=[attention, output]");
      }
      const Json summary = run_job(job(settings), silent);
      EXPECT_FALSE(summary.contains("perplexity"));
      EXPECT_EQ(summary.at("job").at("calibration").at("cut"), "texts");
      EXPECT_EQ(summary.at("job").at("evaluate").at("sequence_length"), 128);
      const Json& figures = summary.at("accuracy").at("dev.tsv");
      EXPECT_EQ(figures.at("examples"), 23);
      EXPECT_EQ(figures.at("full_precision").get<double>(),
                evaluate("model", dev()).scores.at(0).value);
      EXPECT_EQ(figures.at("quantized").get<double>(),
                evaluate("out/quantized", dev()).scores.at(0).value);
      // What was folded is the same function, by its own tensors or with nothing folded.
      EXPECT_EQ(evaluate("out/model", dev()).scores.at(0).correct,
                evaluate("model", dev()).scores.at(0).correct);
    }
  }
}

TEST_F(AccuracyTest, DynamicSchemesNeedNoCalibration) {
  EvaluateOptions options = dev();
  options.scheme = *scheme_named("w8a8");
  options.scheme->activations.granularity = Granularity::per_token;
  options.scheme->activations.range = RangeEstimator::minmax;
  EXPECT_EQ(evaluate("model", options).scores.at(0).examples, 23);
  EXPECT_EQ(evaluate("model", options).kind, "quantized: recommended_w8a8");

  options.scheme->keep = {"nothing.of.it"};
  EXPECT_THROW(evaluate("model", options), UsageError);
  options.scheme->keep.clear();
  options.scheme->weights.bits = 1;
  EXPECT_THROW(evaluate("model", options), UsageError);
}

TEST_F(AccuracyTest, ComparisonHasIt) {
  write("compare.yaml", R"(model: model
calibration: {corpus: dev.tsv, samples: 4, sequence_length: 12}
evaluate: {accuracy: [dev.tsv], examples: 8}
compare:
  transform.method: [none, os_plus]
  calibration: [{cut: texts}, {cut: windows}]
output: compared
)");
  Progress silent;
  const auto result = run_comparison(load_comparison(folder_ / "compare.yaml"), silent);
  ASSERT_EQ(result.rows.size(), 4U);
  const Json json = to_json(result);
  EXPECT_EQ(json.at("full_precision").at("examples"), (Json{{"dev.tsv", 8}}));
  EXPECT_EQ(json.at("full_precision").at("accuracy").at("dev.tsv").get<double>(),
            result.full_precision.at(0).scores.at(0).main().value);
  for (const Json& row : json.at("rows")) EXPECT_TRUE(row.at("accuracy").contains("dev.tsv"));
  EXPECT_TRUE(
      json.at("rows").at(1).at("to_baseline").at("dev.tsv").at("accuracy").contains("difference"));
}

TEST_F(AccuracyTest, TheFigureIsThatOfTheHead) {
  Progress silent;
  expect_error<UsageError>(
      [&] { run_job(job({"evaluate={perplexity: [dev.tsv]}"}), silent); },
      folder_ / "job.yaml: evaluate.perplexity: ", {"classifier", "evaluate.accuracy"});
  support::write_tiny_bert(folder_ / "masked", {.masked = true});
  for (const char* key : {"perplexity", "accuracy"}) {
    expect_error<UsageError>(
        [&] {
          run_job(job({"model=masked", std::string("evaluate={") + key + ": [dev.tsv]}"}), silent);
        },
        folder_ / (std::string("job.yaml: evaluate.") + key + ": "), {"predicts masked tokens"});
  }
  expect_error<UsageError>([&] { evaluate("masked", dev()); }, "--text",
                           {"predicts masked tokens", "neither perplexity nor accuracy"});
  support::write_tiny_opt(folder_ / "opt");
  expect_error<UsageError>(
      [&] {
        run_job(job({"model=opt", "calibration.cut=windows"}), silent);
      },
      folder_ / "job.yaml: evaluate.accuracy: ", {"language model", "evaluate.perplexity"});
  EvaluateOptions options = dev();
  options.windows = 3;
  expect_error<UsageError>([&] { evaluate("model", options); }, "--windows", {"--examples"});
  options.windows.reset();
  options.examples = 3;
  expect_error<UsageError>([&] { evaluate("opt", options); }, "--examples", {"--windows"});
}

TEST_F(AccuracyTest, ProblemsWithoutOneLabelATextHaveNone) {
  for (const char* problem : {"regression", "multi_label_classification"}) {
    auto config = Json::parse(support::read_bytes(folder_ / "model/config.json"));
    config["problem_type"] = problem;
    write("model/config.json", config.dump());
    expect_error<InputError>([&] { evaluate("model", dev()); }, folder_ / "model/config.json",
                             {"'problem_type'", problem, "single_label_classification"});
  }
}

TEST_F(AccuracyTest, FiguresBesideItAreKept) {
  Progress silent;
  const auto score = evaluate("model", dev()).scores.at(0);
  ASSERT_EQ(score.others.size(), 1U);  // F1 is of two classes
  EXPECT_EQ(score.others[0].metric, Metric::matthews);
  EXPECT_EQ(score.results.size(), 23U);
  EXPECT_EQ(score.results[0].logits.size(), 3U);
  const Json figures = run_job(job(), silent).at("accuracy").at("dev.tsv");
  EXPECT_EQ(figures.at("matthews").at("full_precision").get<double>(), score.others[0].value);
  EXPECT_EQ(figures.at("matthews").at("standard_error").at("full_precision").get<double>(),
            standard_error(score.others[0]));

  support::write_tiny_bert(folder_ / "two", {.labels = 2});
  write("two.tsv", "sentence\tlabel\na\t0\nhell\t1\nthe the\t1\n");
  EvaluateOptions options;
  options.texts = {folder_ / "two.tsv"};
  const auto two = evaluate("two", options).scores.at(0);
  ASSERT_EQ(two.others.size(), 2U);
  EXPECT_EQ(two.others[0].metric, Metric::f1);
}

// A head of one label gives a value, which is compared by correlation.
TEST_F(AccuracyTest, RegressionHasCorrelations) {
  support::write_tiny_bert(folder_ / "values", {.labels = 1});
  auto config = Json::parse(support::read_bytes(folder_ / "values/config.json"));
  config["problem_type"] = "regression";
  write("values/config.json", config.dump());
  std::string rows = "sentence1\tsentence2\tscore\n";
  for (int i = 0; i < 12; ++i) {
    rows += std::string(static_cast<std::size_t>(1 + i), 'a') + "\tthe\t" +
            std::to_string(0.25 * ((5 * i) % 12)) + "\n";
  }
  write("sts.tsv", rows);
  EvaluateOptions options;
  options.texts = {folder_ / "sts.tsv"};
  const auto result = evaluate("values", options);
  const TextScore& score = result.scores.at(0);
  EXPECT_EQ(score.metric, Metric::pearson);
  EXPECT_EQ(score.others.at(0).metric, Metric::spearman);
  EXPECT_EQ(score.results.at(1).answer, 1.25);
  EXPECT_EQ(score.terms.size(), 12U);
  EXPECT_LE(std::abs(score.value), 1.0);
  EXPECT_NE(score.value, 0.0);
  Progress silent;
  const Json summary =
      run_job(job({"model=values", "calibration.corpus=sts.tsv", "evaluate={accuracy: [sts.tsv]}"}),
              silent);
  const Json& figures = summary.at("pearson").at("sts.tsv");
  EXPECT_EQ(figures.at("full_precision").get<double>(), score.value);
  EXPECT_EQ(figures.at("spearman").at("full_precision").get<double>(), score.others[0].value);
  expect_error<InputError>([&] { evaluate("values", dev()); }, folder_ / "dev.tsv:2",
                           {"expected a number", "'bad'"});
}

}  // namespace
}  // namespace evenkeel
