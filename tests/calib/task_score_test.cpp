// Task scores against log-likelihoods from whole rows of logits, and their way through jobs.
#include "calib/task_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/compare/compare.h"
#include "calib/evaluate.h"
#include "calib/evaluation_stream.h"
#include "calib/evaluation_texts.h"
#include "calib/runner.h"
#include "calib/scaling/scaling.h"
#include "calib/scaling/scaling_json.h"
#include "calib/sensitivity.h"
#include "calib/window_scores.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "model/forward.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

EvaluationText text_of(TaskForm form, std::vector<TaskExample> examples) {
  EvaluationText text{.label = "t", .windows = {}};
  text.task = {.kind = "plain", .form = form, .examples = std::move(examples)};
  return text;
}

TEST(TaskScore, TheLikeliestAnswerIsThePrediction) {
  const auto text =
      text_of(TaskForm::choices, {{.line = 3, .answer = 1, .answers = 2, .lengths = {2, 9}},
                                  {.line = 4, .answer = 0, .answers = 3, .lengths = {1, 1, 1}}});
  const std::vector<WindowScore> windows{
      {.loss = 4.0}, {.loss = 5.0}, {.loss = 2.0}, {.loss = 2.0}, {.loss = 2.0}};
  const TextScore score = task_score(text, windows);
  EXPECT_EQ(score.metric, Metric::accuracy);
  EXPECT_EQ(score.value, 0.5);  // of equal answers the first
  EXPECT_EQ(score.examples, 2);
  EXPECT_EQ(score.correct, 1);
  EXPECT_EQ(score.terms, (std::vector<double>{0.0, 1.0}));
  ASSERT_EQ(score.others.size(), 1U);
  EXPECT_EQ(score.others[0].metric, Metric::normalized_accuracy);
  EXPECT_EQ(score.others[0].value, 1.0);  // -4 / 2 is less than -5 / 9
  EXPECT_EQ(score.results[0].line, 3U);
  EXPECT_EQ(score.results[0].logits, (std::vector<double>{-4.0, -5.0}));
  EXPECT_EQ(score.results[0].prediction, 0.0);
  EXPECT_EQ(score.results[0].normalized_prediction, 1U);
}

TEST(TaskScore, AnAnswerWithoutCharactersIsNeverTheNormalizedOne) {
  const auto text =
      text_of(TaskForm::choices, {{.line = 1, .answer = 1, .answers = 2, .lengths = {0, 9}}});
  EXPECT_EQ(
      task_score(text, std::vector<WindowScore>{{.loss = 1.0}, {.loss = 50.0}}).others.at(0).value,
      1.0);
}

TEST(TaskScore, ContextsHaveAccuracyAlone) {
  const auto text = text_of(TaskForm::contexts, {{.line = 1, .answer = 1, .answers = 2}});
  const TextScore score = task_score(text, std::vector<WindowScore>{{.loss = 3.0}, {.loss = 1.0}});
  EXPECT_EQ(score.value, 1.0);
  EXPECT_TRUE(score.others.empty());
}

TEST(TaskScore, LastWordsHaveAccuracyAndPerplexity) {
  const auto text =
      text_of(TaskForm::last_word, {{.line = 1, .answers = 1}, {.line = 2, .answers = 1}});
  const TextScore score =
      task_score(text, std::vector<WindowScore>{{.loss = 1.0, .tokens = 2.0, .greedy = true},
                                                {.loss = 4.0, .tokens = 1.0}});
  EXPECT_EQ(score.value, 0.5);
  EXPECT_EQ(score.others.at(0).metric, Metric::perplexity);
  EXPECT_EQ(score.others.at(0).value, std::exp(2.5));  // of words, whatever their tokens
  EXPECT_EQ(score.others.at(0).terms, (std::vector<double>{1.0, 4.0}));
}

TEST(TaskScore, WhatIsNoNumberIsRefused) {
  const auto text = text_of(TaskForm::contexts, {{.line = 7, .answer = 1, .answers = 1}});
  support::expect_error<InputError>(
      [&] { task_score(text, std::vector<WindowScore>{{.loss = std::nan("")}}); }, "t",
      {"line 7", "not a number"});
}

// A job on a tiny OPT that evaluates text and tasks of every form.
class TaskJob : public testing::Test {
 protected:
  TaskJob() {
    std::string choices;
    std::string words;
    for (int i = 0; i < 60; ++i) {
      const std::string tail(static_cast<std::size_t>(1 + i % 9), static_cast<char>('a' + i % 26));
      choices += R"({"context": "hell )" + tail + R"(", "choices": ["the", "x)" + tail +
                 R"(", "hell the"], "answer": )" + std::to_string(i % 3) + "}\n";
      words += R"({"text": "the )" + tail + " hell " + tail + "\"}\n";
    }
    write("own.jsonl", choices);
    write("words.jsonl", words);
    write("gap.jsonl",
          "{\"sentence\": \"the _ hell.\", \"option1\": \"a\", \"option2\": \"bcd\", "
          "\"answer\": \"1\"}\n"
          "{\"sentence\": \"a _ the.\", \"option1\": \"x\", \"option2\": \"y\", \"answer\": "
          "\"2\"}\n");
  }

  void write(const std::string& name, const std::string& text) const {
    support::write_bytes(tiny_ / name, text);
  }
  static std::string evaluate_setting(const std::string& more = "") {
    return "evaluate={" + more +
           "tasks: [{task: plain, file: own.jsonl, label: own}, {task: lambada, file: "
           "words.jsonl}, {task: winogrande, file: gap.jsonl}]}";
  }
  static std::vector<std::string> settings() {
    return {evaluate_setting("perplexity: [evaluation.safetensors], sequence_length: 16, ")};
  }
  std::vector<EvaluationText> texts(const LanguageModel& model, const Job& job) const {
    const ModelTokenizer tokenizer(model);
    return read_evaluation_texts(model, tokenizer, job.evaluate, {"texts", "tasks", "length"});
  }

  support::TinyJob tiny_;
};

// One window, computed plainly: without a stream, a chunk or a group.
double plain_log_likelihood(const LanguageModel& model, const Tokens& ids, const Tokens& targets,
                            bool& greedy) {
  Matrix hidden = model.embed(ids);
  Workspace workspace;
  NoTap tap;
  for (Index number = 0; number < model.architecture().blocks; ++number) {
    const Block block = load_block(model.checkpoint(), model.architecture(), number);
    forward(model.architecture(), block, hidden, {}, tap, workspace);
  }
  model.finish(hidden);
  const Matrix logits = model.logits(hidden);
  double sum = 0.0;
  greedy = true;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Eigen::RowVectorXd row =
        logits.row(logits.rows() - static_cast<Index>(targets.size() - i)).cast<double>();
    sum += row(targets[i]) - std::log(row.array().exp().sum());
    Index largest = 0;
    row.maxCoeff(&largest);
    greedy = greedy && largest == targets[i];
  }
  return sum;
}

TEST_F(TaskJob, LogLikelihoodsAreThoseOfWholeRows) {
  const Job job = tiny_.job(settings());
  const Checkpoint checkpoint(job.model);
  const LanguageModel model(checkpoint);
  const auto all = texts(model, job);
  ASSERT_EQ(all.size(), 4U);
  Progress silent;
  const auto scores = full_precision_scores(model, all, silent);
  ASSERT_EQ(scores.size(), 4U);
  EXPECT_EQ(scores[0].metric, Metric::perplexity);
  EXPECT_TRUE(scores[0].task.empty());
  for (std::size_t text = 1; text < all.size(); ++text) {
    std::size_t window = 0;
    for (const ExampleResult& result : scores[text].results) {
      for (const double found : result.logits) {
        bool greedy = false;
        const double expected = plain_log_likelihood(model, all[text].windows[window].ids,
                                                     all[text].task->targets[window], greedy);
        // The float exponential, 2^-22 of each term, and products summed in another order.
        EXPECT_NEAR(found, expected, 1e-4) << text << " " << window;
        if (all[text].task->form == TaskForm::last_word) {
          EXPECT_EQ(result.prediction == 1.0, greedy);
        }
        ++window;
      }
    }
    EXPECT_EQ(window, all[text].windows.size());
  }
}

// What else is evaluated beside them changes nothing.
TEST_F(TaskJob, TasksDoNotMix) {
  const Job job = tiny_.job(settings());
  const Checkpoint checkpoint(job.model);
  const LanguageModel model(checkpoint);
  const auto all = texts(model, job);
  Progress silent;
  const auto together = full_precision_scores(model, all, silent);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto alone = full_precision_scores(model, {all[i]}, silent);
    EXPECT_EQ(alone.at(0).value, together[i].value);
    EXPECT_EQ(alone.at(0).terms, together[i].terms);
    for (std::size_t j = 0; j < together[i].results.size(); ++j) {
      EXPECT_EQ(alone[0].results[j].logits, together[i].results[j].logits);
    }
  }
}

TEST_F(TaskJob, AJobsFiguresAreThoseOfWhatItWrote) {
  Progress silent;
  const Json summary = run_job(tiny_.job(settings()), silent);
  EXPECT_TRUE(summary.at("perplexity").contains("evaluation.safetensors"));
  EvaluateOptions options;
  for (const auto& [kind, label, name] :
       {std::tuple("plain", "own", "own.jsonl"), std::tuple("lambada", "lambada", "words.jsonl"),
        std::tuple("winogrande", "winogrande", "gap.jsonl")}) {
    options.tasks.push_back({{.kind = kind, .file = tiny_ / name}, label});
  }
  options.sequence_length = 16;
  for (const auto& [key, folder] : {std::pair("full_precision", tiny_ / "model"),
                                    std::pair("quantized", tiny_.output() / "quantized")}) {
    const auto result = evaluate_checkpoint(folder, options, silent);
    ASSERT_EQ(result.scores.size(), 3U);
    for (const TextScore& score : result.scores) {
      const Json& figures = summary.at("tasks").at(score.label).at(key);
      EXPECT_EQ(figures.at("accuracy").get<double>(), score.value);
      EXPECT_EQ(figures.at("examples"), score.examples);
      EXPECT_EQ(figures.at("standard_error").at("accuracy").get<double>(),
                standard_error(score.figure()));
      for (const Figure& other : score.others) {
        EXPECT_EQ(figures.at(name_of(other.metric)).get<double>(), other.value);
      }
    }
  }
  EXPECT_EQ(summary.at("tasks").at("own").at("quantized").size(), 4U);
  EXPECT_NE(summary.at("tasks").at("lambada").at("full_precision").at("perplexity"),
            summary.at("tasks").at("lambada").at("quantized").at("perplexity"));
  EXPECT_EQ(summary.at("job").at("evaluate").at("tasks").at(0).at("label"), "own");
}

TEST_F(TaskJob, ExamplesBoundThem) {
  const Job job = tiny_.job({evaluate_setting("examples: 5, ")});
  const Checkpoint checkpoint(job.model);
  const LanguageModel model(checkpoint);
  Progress silent;
  const auto scores = full_precision_scores(model, texts(model, job), silent);
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores[0].examples, 5);
  EXPECT_EQ(scores[2].examples, 2);
}

TEST_F(TaskJob, ComparisonsAndSensitivitiesHaveThem) {
  Progress silent;
  for (const bool text : {true, false}) {
    auto more = text ? settings() : std::vector{evaluate_setting()};
    const Json sensitivity = to_json(measure_sensitivity(tiny_.job(more), silent));
    EXPECT_EQ(sensitivity.at("full_precision").contains("perplexity"), text);
    EXPECT_TRUE(sensitivity.at("quantized").at("tasks").contains("own"));
    EXPECT_TRUE(sensitivity.at("parts").at(0).at("alone").at("tasks").contains("lambada"));

    more.emplace_back("compare={transform.method: [none, os_plus]}");
    const Json compared = to_json(run_comparison(load_comparison(tiny_.file(), more), silent));
    EXPECT_EQ(compared.at("full_precision").contains("perplexity"), text);
    const Json& tasks = compared.at("full_precision").at("tasks");
    EXPECT_EQ(tasks.at("own").at("examples"), 60);
    EXPECT_TRUE(tasks.at("own").at("standard_error").contains("normalized_accuracy"));
    for (const Json& row : compared.at("rows")) {
      EXPECT_TRUE(row.at("tasks").at("winogrande").contains("accuracy"));
    }
    const Comparison wanted = load_scaling(tiny_.file(), more);
    const auto scaled = run_scaling(wanted, silent, true);
    const Json scaling = to_json(scaled, wanted.job);
    EXPECT_EQ(scaling.at("rows").at(1).at("tasks").at("own").at("accuracy"),
              compared.at("rows").at(1).at("tasks").at("own").at("accuracy"));
    EXPECT_EQ(scaled.metric, text ? Metric::perplexity : Metric::accuracy);
  }
}

TEST_F(TaskJob, NamesAndHeadsAreChecked) {
  Progress silent;
  write("evaluation.txt", "the hell the hell the hell");
  support::expect_error<UsageError>(
      [&] {
        run_job(tiny_.job({"evaluate={perplexity: [evaluation.txt], sequence_length: 4, tasks: "
                           "[{task: copa, file: a.xml, label: evaluation.txt}]}"}),
                silent);
      },
      tiny_ / "job.yaml: evaluate.tasks", {"'evaluation.txt'", "rename one"});
  EvaluateOptions options;
  options.tasks = {{{.kind = "plain", .file = tiny_ / "own.jsonl"}, "own"}};
  options.windows = 3;
  support::expect_error<UsageError>([&] { evaluate_checkpoint(tiny_ / "model", options, silent); },
                                    "--windows", {"--examples"});
}

TEST_F(TaskJob, ATaskMayBeTheCalibrationText) {
  Progress silent;
  const Json summary =
      run_job(tiny_.job({"calibration={corpus: {task: plain, file: own.jsonl}, samples: 3, "
                         "sequence_length: 12, batch: 1}"}),
              silent);
  EXPECT_EQ(summary.at("job").at("calibration").at("corpus").at("task"), "plain");
  // The same as that text in a file.
  write("same.txt", task_text("plain", tiny_ / "own.jsonl"));
  const Json same = run_job(tiny_.job({"calibration={corpus: same.txt, samples: 3, "
                                       "sequence_length: 12, batch: 1}",
                                       "output=out2"}),
                            silent);
  EXPECT_EQ(summary.at("perplexity"), same.at("perplexity"));
}

}  // namespace
}  // namespace evenkeel
