#include "calib/job.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/job_keys.h"
#include "io/file.h"
#include "support/job_file.h"

namespace evenkeel {
namespace {

using support::JobFile;
using support::least_job;
using Lines = JobFile::Lines;

/// The faults of a least job with more lines after it; the first of them is line 6.
Lines faults_of_more(const std::string& more, const JobFile::Settings& settings = {}) {
  return JobFile(least_job + more).faults(settings);
}

TEST(LoadJob, reads_every_key) {
  const JobFile file(R"(model: models/opt
calibration:
  corpus: ../text.jsonl
  order: random
  samples: 24
  sequence_length: 128
  batch: 4
  seed: 7
transform: {method: os_plus, search_samples: 5, search: exhaustive}
scheme:
  weights: {bits: 4, granularity: per_group, symmetric: true, range: minmax, rounding: nearest, group_size: 64}
  activations: {bits: 6, granularity: per_channel, symmetric: true, range: minmax}
  propagate: full_precision
evaluate: {perplexity: [a.txt, /data/b.txt], sequence_length: 256, windows: 9}
output: ./out//x/
memory_limit: 512 MiB
)");
  EXPECT_EQ(file.faults(), (Lines{"job.yaml:7: calibration.batch: cannot take effect: only the "
                                  "ranges average_minmax and token_wise_clipping of static "
                                  "activations read it"}));
  const Job job = file.job({"scheme.activations.range=average_minmax"});
  EXPECT_EQ(job.file, file.path());
  EXPECT_EQ(job.model, file / "models/opt");
  EXPECT_EQ(job.calibration.corpus.file, (file.path().parent_path().parent_path() / "text.jsonl"));
  EXPECT_EQ(job.calibration.corpus.random, CorpusOptions::Random::none);
  EXPECT_EQ(job.calibration.corpus.order, CorpusOptions::Order::random);
  EXPECT_EQ(job.calibration.corpus.samples, 24);
  EXPECT_EQ(job.calibration.corpus.sequence_length, 128);
  EXPECT_EQ(job.calibration.corpus.seed, 7U);
  EXPECT_EQ(job.calibration.batch, 4);
  EXPECT_EQ(job.transform,
            (TransformOptions{
                .method = Method::os_plus, .search_samples = 5, .search = Search::exhaustive}));
  EXPECT_EQ(job.scheme, (Scheme{.weights = {.bits = 4,
                                            .granularity = Granularity::per_group,
                                            .symmetric = true,
                                            .group_size = 64},
                                .activations = {.bits = 6,
                                                .granularity = Granularity::per_channel,
                                                .symmetric = true,
                                                .range = RangeEstimator::average_minmax},
                                .propagate = Propagate::full_precision}));
  EXPECT_EQ(job.evaluate.perplexity,
            (std::vector<std::filesystem::path>{file / "a.txt", "/data/b.txt"}));
  EXPECT_EQ(job.evaluate.sequence_length, 256);
  EXPECT_EQ(job.evaluate.windows, 9);
  EXPECT_EQ(job.output, file / "out/x");
  EXPECT_EQ(job.memory_limit, 512U << 20U);
}

TEST(LoadJob, takes_the_defaults_of_the_structs) {
  const Job job = JobFile(least_job).job();
  EXPECT_EQ(job.transform, TransformOptions{});
  EXPECT_EQ(job.scheme, Scheme{});
  EXPECT_EQ(job.calibration.batch, CalibrationOptions{}.batch);
  EXPECT_EQ(job.calibration.corpus.sequence_length, CorpusOptions{}.sequence_length);
  EXPECT_EQ(job.memory_limit, Job{}.memory_limit);
  EXPECT_TRUE(job.evaluate.perplexity.empty());
  EXPECT_FALSE(job.evaluate.windows);
}

TEST(LoadJob, lets_the_default_of_search_samples_shrink_with_the_samples) {
  EXPECT_EQ(JobFile(least_job).job({"calibration.samples=3"}).transform.search_samples, 3);
}

TEST(LoadJob, reads_random_text_and_a_searched_alpha) {
  const Job job = JobFile(
                      "model: m\noutput: o\ncalibration: {random: vocabulary, seed: 3}\n"
                      "transform: {method: smoothquant, alpha: search, search_samples: 2}\n")
                      .job();
  EXPECT_EQ(job.calibration.corpus.random, CorpusOptions::Random::vocabulary);
  EXPECT_TRUE(job.calibration.corpus.file.empty());
  EXPECT_EQ(job.calibration.corpus.seed, 3U);
  EXPECT_FALSE(job.transform.alpha);
  EXPECT_EQ(job.transform.search_samples, 2);
}

TEST(LoadJob, merges_overrides_into_a_named_scheme) {
  Scheme expected = *scheme_named("w4a4");
  EXPECT_EQ(JobFile(least_job + "scheme: w4a4\n").job().scheme, expected);
  expected.activations.granularity = Granularity::per_token;
  expected.activations.range = RangeEstimator::minmax;  // the only one that a dynamic range has
  EXPECT_EQ(JobFile(least_job + "scheme: {name: w4a4, activations: {granularity: per_token}}\n")
                .job()
                .scheme,
            expected);
}

TEST(LoadJob, allows_anchors_and_aliases) {
  const Job job =
      JobFile(least_job +
              "scheme: {weights: &eight {bits: 8, symmetric: true}, activations: *eight}\n")
          .job();
  EXPECT_TRUE(job.scheme.weights.symmetric);
  EXPECT_TRUE(job.scheme.activations.symmetric);
}

TEST(LoadJob, keeps_the_text_as_run_which_reads_as_the_same_job) {
  const JobFile file("# a comment\n" + least_job +
                     "scheme: w8a8\nevaluate: {perplexity: [\"a, b.txt\", 'yes']}\n"
                     "compare: {scheme: [w8a8, w4a4]}\n");
  const Job job = file.job({"scheme.weights.bits=4", "calibration.samples=20"});
  EXPECT_EQ(job.text.find("compare"), std::string::npos);
  const JobFile again(job.text);
  const Job same = again.job();
  EXPECT_EQ(same.text, job.text);
  EXPECT_EQ(same.scheme, job.scheme);
  EXPECT_EQ(same.calibration.corpus.samples, 20);
  EXPECT_EQ(same.evaluate.perplexity.at(0), again / "a, b.txt");
  EXPECT_EQ(same.evaluate.perplexity.at(1), again / "yes");
}

// ---------------------------------------------------------------- jobs that are shipped

const std::filesystem::path configs = std::filesystem::path(EVENKEEL_SOURCE_DIR) / "configs";

TEST(ShippedJobs, to_start_from_hold_the_defaults) {
  const Job job = load_job(configs / "opt.yaml");
  EXPECT_EQ(job.calibration.corpus.samples, CorpusOptions{}.samples);
  EXPECT_EQ(job.calibration.corpus.sequence_length, CorpusOptions{}.sequence_length);
  EXPECT_EQ(job.calibration.batch, CalibrationOptions{}.batch);
  EXPECT_EQ(job.transform, TransformOptions{});
  EXPECT_EQ(job.scheme, Scheme{});
  EXPECT_EQ(job.evaluate.sequence_length, EvaluationOptions{}.length());
  EXPECT_EQ(job.memory_limit, Job{}.memory_limit);
}

TEST(ShippedJobs, to_start_from_explain_every_key) {
  // Together: one is for language models, one for classifiers.
  const std::string text = read_text(configs / "opt.yaml") + read_text(configs / "bert.yaml");
  for (const char* section :
       {"", "calibration", "transform", "scheme.weights", "scheme.weights.gptq",
        "scheme.activations", "evaluate", "evaluate.tasks", "calibration.corpus", "analyze"}) {
    for (const auto& key : known_keys(section)) {
      const bool explained = std::ranges::any_of(
          std::array{" ", "\n", "{"},
          [&](const char* before) { return text.find(before + key + ":") != std::string::npos; });
      EXPECT_TRUE(explained) << section << " " << key;
    }
  }
}

TEST(ShippedJobs, of_the_quickstart_read_without_fault) {
  EXPECT_EQ(load_comparison(configs / "quickstart/compare.yaml").rows.size(), 18U);
  EXPECT_EQ(load_job(configs / "quickstart/compare.yaml").transform.search_samples, 2);
  EXPECT_EQ(load_job(configs / "quickstart/calibrate.yaml").scheme, *scheme_named("w8a8"));
}

// ---------------------------------------------------------------- settings

TEST(JobSettings, change_the_file_and_replace_what_excludes_them) {
  const Job job = JobFile(least_job + "scheme: w8a8\n")
                      .job({"calibration.random=ascii", "scheme.activations.symmetric=true",
                            "evaluate={perplexity: [e.txt]}"});
  EXPECT_EQ(job.calibration.corpus.random, CorpusOptions::Random::ascii);
  EXPECT_TRUE(job.calibration.corpus.file.empty());
  EXPECT_EQ(job.scheme.weights, scheme_named("w8a8")->weights);
  EXPECT_TRUE(job.scheme.activations.symmetric);
  EXPECT_EQ(job.evaluate.perplexity.size(), 1U);
}

TEST(JobSettings, are_named_in_place_of_the_line) {
  EXPECT_EQ(faults_of_more("", {"transform.metod=none", "scheme={weight: {bits: 4}}",
                                "calibration.samples=0", "model=", "output.x=1", "nonsense", "=1",
                                "a..b=1", "model=x", "scheme.name=[w8a8"}),
            (Lines{"--set transform.metod: unknown key; did you mean 'method'?",
                   "--set scheme: scheme.weight: unknown key; did you mean 'weights'?",
                   ("--set calibration.samples: expected an integer from 1 to 1000000 in decimal "
                    "digits; got '0'"),
                   ("--set model: expected text; got no value (to take the default, leave the key "
                    "out)"),
                   "--set output.x: leads through a value that is no section",
                   "--set nonsense: expected KEY=VALUE, such as transform.method=none",
                   "--set =1: expected KEY=VALUE, such as transform.method=none",
                   "--set a..b: expected KEY=VALUE, such as transform.method=none",
                   "--set model: given twice",
                   ("--set scheme.name: a key must be one word of text, such as 'model:' (is a "
                    "bracket not closed?)")}));
}

TEST(JobSettings, of_endless_depth_are_refused) {
  std::string key = "a";
  for (int i = 0; i < 100000; ++i) key += ".a";
  const Lines lines = faults_of_more("", {key + "=1"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LT(lines[0].size(), 300U);
}

TEST(JobSettings, do_not_make_a_fault_of_a_key_that_takes_effect_in_the_file) {
  EXPECT_EQ(
      faults_of_more("transform: {search: exact, search_samples: 4}\n", {"transform.method=none"}),
      Lines{});
  EXPECT_EQ(faults_of_more("", {"transform.method=none", "transform.search=exact"}),
            (Lines{"--set transform.search: cannot take effect: only os_plus reads it; method is "
                   "none"}));
}

// ---------------------------------------------------------------- faults

TEST(JobFaults, are_all_reported_at_once_in_the_order_of_lines) {
  EXPECT_EQ(
      JobFile(R"(modle: m
calibration:
  corpus: a
  random: ascii
  samples: 1e3
  sequence_length: 1
transform:
  metod: none
  method: gptq
  alpha: 2
scheme: w3a16
memory_limit: 2G
)")
          .faults(),
      (Lines{("job.yaml: model: missing; give the checkpoint's folder, such as model: "
              "path/to/model"),
             ("job.yaml: output: missing; give the folder for the results, such as output: "
              "out/name"),
             "job.yaml:1: modle: unknown key; did you mean 'model'?",
             "job.yaml:4: calibration.random: given beside corpus; give one of them",
             ("job.yaml:5: calibration.samples: expected an integer from 1 to 1000000 in "
              "decimal digits; got '1e3'"),
             ("job.yaml:6: calibration.sequence_length: expected an integer from 2 to 1048576 "
              "in decimal digits; got '1'"),
             "job.yaml:8: transform.metod: unknown key; did you mean 'method'?",
             ("job.yaml:9: transform.method: 'gptq' is not supported; supported: none, "
              "smoothquant, outlier_suppression, os_plus, awq"),
             "job.yaml:10: transform.alpha: expected a number from 0 to 1 or search; got '2'",
             "job.yaml:11: scheme: 'w3a16' is not supported; supported: w8a8, w6a6, w4a4, w8a16, "
             "w4a16, w4_column_wise, nf4, fp4, naive_w8a8, vector_wise, zeroquant_w8a8, llm_int8, "
             "recommended_w8a8, recommended_w6a6, recommended_w4a4",
             ("job.yaml:12: memory_limit: expected digits and a unit, such as 2GiB, 512 MiB, "
              "500MB or 1000000; got '2G'")}));
}

TEST(JobFaults, of_files_that_are_no_jobs) {
  EXPECT_EQ(JobFile("").faults(),
            Lines{"job.yaml: is empty; a job needs model, calibration and output"});
  EXPECT_EQ(JobFile("# nothing\n").faults(),
            Lines{"job.yaml: is empty; a job needs model, calibration and output"});
  EXPECT_EQ(JobFile("- a\n").faults(),
            Lines{"job.yaml:1: expected a section with the keys model, calibration, transform, "
                  "scheme, evaluate, analyze, compare, output, memory_limit; got a list"});
  EXPECT_EQ(JobFile(std::string((1U << 20U) + 1, '#')).faults(),
            Lines{"job.yaml: larger than 1 MiB, so not a job file (YAML)"});
  const JobFile file(least_job);
  EXPECT_THROW(load_job(file / "absent.yaml"), UsageError);
  EXPECT_THROW(load_job(file.path().parent_path()), UsageError);
}

TEST(LoadJob, reads_or_refuses_a_job_cut_anywhere) {
  const std::string text = least_job +
                           "scheme: {name: w8a8, weights: {bits: 4}}\n"
                           "evaluate: {perplexity: [\"a b.txt\", 'c']}\n"
                           "compare: {transform.method: [none, os_plus]}\n";
  for (std::size_t length = 0; length < text.size(); ++length) {
    const JobFile file(text.substr(0, length));
    for (const auto& line : file.faults()) {
      EXPECT_TRUE(line.starts_with("job.yaml")) << length << ": " << line;
    }
  }
}

TEST(JobTasks, StandBesideTexts) {
  const JobFile file(least_job +
                     "evaluate:\n"
                     "  perplexity: [a.txt]\n"
                     "  tasks:\n"
                     "    - {task: arc_easy, file: ARC-Easy-Test.jsonl}\n"
                     "    - {task: piqa, file: valid.jsonl, labels: l.lst, label: physics}\n"
                     "    - {task: plain, file: x/own.jsonl}\n"
                     "  windows: 4\n"
                     "  examples: 9\n");
  const EvaluationOptions evaluate = file.job().evaluate;
  EXPECT_EQ(evaluate.perplexity.size(), 1U);
  EXPECT_EQ(evaluate.metric(), Metric::perplexity);
  EXPECT_EQ(evaluate.examples, 9);
  ASSERT_EQ(evaluate.tasks.size(), 3U);
  EXPECT_EQ(evaluate.tasks[0].label, "arc_easy");
  EXPECT_EQ(evaluate.tasks[0].task.file, file / "ARC-Easy-Test.jsonl");
  EXPECT_EQ(evaluate.tasks[1].label, "physics");
  EXPECT_EQ(evaluate.tasks[1].task.labels, file / "l.lst");
  EXPECT_EQ(evaluate.tasks[2].label, "own.jsonl");
}

TEST(JobTasks, MayBeAllThereIsToEvaluate) {
  const JobFile file(least_job + "evaluate: {tasks: [{task: copa, file: a.xml}]}\n" +
                     "compare: {scheme: [w8a8]}\n");
  EXPECT_EQ(file.comparison().job.evaluate.metric(), Metric::accuracy);
  EXPECT_FALSE(file.comparison().job.evaluate.empty());
}

TEST(JobTasks, MayBeWhatIsCalibratedOn) {
  const JobFile file(
      "model: m\noutput: out\n"
      "calibration: {corpus: {task: hellaswag, file: hellaswag_val.jsonl}, samples: 4}\n"
      "compare: {calibration: [{corpus: {task: copa, file: a.jsonl}}, {corpus: text.txt}, "
      "{random: ascii}]}\n"
      "evaluate: {perplexity: [a.txt]}\n");
  const CorpusOptions corpus = file.job().calibration.corpus;
  EXPECT_EQ(corpus.task, "hellaswag");
  EXPECT_EQ(corpus.file, file / "hellaswag_val.jsonl");
  EXPECT_EQ(corpus.label(), "hellaswag: hellaswag_val.jsonl");
  const auto rows = file.comparison().rows;
  EXPECT_EQ(rows.at(0).job.calibration.corpus.label(), "copa: a.jsonl");
  EXPECT_EQ(rows.at(1).job.calibration.corpus.label(), "text.txt");
  EXPECT_TRUE(rows.at(1).job.calibration.corpus.task.empty());
  EXPECT_EQ(rows.at(2).job.calibration.corpus.label(), "random: ascii");
  EXPECT_TRUE(rows.at(2).job.calibration.corpus.task.empty());
  EXPECT_EQ(JobFile("model: m\noutput: out\ncalibration:\n  corpus: {task: copa}\n").faults(),
            (std::vector<std::string>{
                "job.yaml:4: calibration.corpus.file: missing; give the task's file"}));
}

}  // namespace
}  // namespace evenkeel
