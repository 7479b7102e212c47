#include "calib/comparison.h"

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/job_file.h"

namespace evenkeel {
namespace {

using support::JobFile;
using support::least_job;
using Lines = JobFile::Lines;
using Settings = std::vector<std::pair<std::string, std::string>>;

/// Six lines; what tests add starts at line 7.
const std::string least_comparison = least_job + "evaluate: {perplexity: [e.txt]}\n";

Comparison compared(const std::string& more, const JobFile::Settings& settings = {}) {
  return JobFile(least_comparison + more).comparison(settings);
}

Lines faults_of_more(const std::string& more, const JobFile::Settings& settings = {}) {
  return JobFile(least_comparison + more).comparison_faults(settings);
}

TEST(LoadComparison, crosses_the_axes_the_first_slowest) {
  const auto rows = compared(
                        "compare:\n  transform.method: [none, os_plus]\n  scheme: [w8a8, w4a4]\n"
                        "  calibration: [{corpus: text.txt}, {random: ascii}]\n")
                        .rows;
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_EQ(rows[0].settings, (Settings{{"transform.method", "none"},
                                        {"scheme", "w8a8"},
                                        {"calibration", "corpus: text.txt"}}));
  EXPECT_EQ(rows[3].settings, (Settings{{"transform.method", "none"},
                                        {"scheme", "w4a4"},
                                        {"calibration", "random: ascii"}}));
  EXPECT_EQ(rows[3].job.transform.method, Method::none);
  EXPECT_EQ(rows[3].job.scheme, *scheme_named("w4a4"));
  EXPECT_EQ(rows[3].job.calibration.corpus.random, CorpusOptions::Random::ascii);
  EXPECT_TRUE(rows[3].job.calibration.corpus.file.empty());
  EXPECT_EQ(rows[3].job.calibration.corpus.samples, 16);
  EXPECT_EQ(rows[4].job.transform.method, Method::os_plus);
  EXPECT_EQ(rows[4].job.calibration.corpus.random, CorpusOptions::Random::none);
  EXPECT_EQ(rows[4].job.calibration.corpus.file.filename(), "text.txt");
}

TEST(LoadComparison, merges_maps_and_replaces_values) {
  const std::string base =
      "scheme: {name: w6a6, activations: {symmetric: true}}\n"
      "compare: {scheme: [w4a4, {name: w8a8}, {weights: {bits: 3, symmetric: true}}]}\n";
  const auto rows = compared(base).rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].job.scheme, *scheme_named("w4a4"));
  Scheme merged = *scheme_named("w8a8");
  merged.activations.symmetric = true;
  EXPECT_EQ(rows[1].job.scheme, merged);
  merged = *scheme_named("w6a6");
  merged.activations.symmetric = true;
  merged.weights.bits = 3;
  merged.weights.symmetric = true;
  EXPECT_EQ(rows[2].job.scheme, merged);
  EXPECT_EQ(rows[2].settings, (Settings{{"scheme", "weights: {bits: 3, symmetric: true}"}}));
}

TEST(LoadComparison, merges_parts_of_a_job_under_their_labels) {
  const auto rows = compared(
                        "transform: {method: none}\n"
                        "compare:\n  job:\n"
                        "    - {label: MinMax, scheme: {activations: {range: minmax}}}\n"
                        "    - {label: OS+, transform: {method: os_plus, search: exhaustive}}\n"
                        "  scheme.name: [w8a8, w4a4]\n")
                        .rows;
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].settings, (Settings{{"job", "MinMax"}, {"scheme.name", "w8a8"}}));
  EXPECT_EQ(rows[1].job.scheme.activations.range, RangeEstimator::minmax);
  EXPECT_EQ(rows[1].job.scheme.weights.bits, 4);
  EXPECT_EQ(rows[1].job.transform.method, Method::none);
  EXPECT_EQ(rows[3].settings, (Settings{{"job", "OS+"}, {"scheme.name", "w4a4"}}));
  EXPECT_EQ(rows[3].job.transform.search, Search::exhaustive);
  EXPECT_EQ(rows[3].job.scheme, *scheme_named("w4a4"));
}

TEST(LoadComparison, labels_say_lists) {
  const auto rows =
      compared("compare: {scheme: [{keep: [blocks.0]}, {keep: [blocks.1, '*.fc1']}]}\n").rows;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].settings, (Settings{{"scheme", "keep: [blocks.1, *.fc1]"}}));
}

TEST(LoadComparison, an_axis_keeps_its_place_when_it_is_set) {
  const auto rows =
      compared("compare: {transform.method: [none], scheme: [w8a8], calibration.samples: [3]}\n",
               {"compare.scheme=[w4a4, w6a6]", "compare.transform.method=[none, os_plus]"})
          .rows;
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(
      rows[1].settings,
      (Settings{{"transform.method", "none"}, {"scheme", "w6a6"}, {"calibration.samples", "3"}}));
}

TEST(LoadComparison, names_models_by_the_end_of_their_paths) {
  const auto labels = [](const std::string& models) {
    std::vector<std::string> all;
    for (const auto& row : compared("compare: {model: " + models + "}\n").rows) {
      all.push_back(row.settings.front().second);
    }
    return all;
  };
  EXPECT_EQ(labels("[a/opt, b/llama]"), (std::vector<std::string>{"opt", "llama"}));
  EXPECT_EQ(labels("[a/opt, b/opt]"), (std::vector<std::string>{"a/opt", "b/opt"}));
}

TEST(LoadComparison, faults_of_labels_and_parts_of_a_job) {
  const auto only = [](const std::string& axis, std::string_view part) {
    const Lines lines = faults_of_more("compare: {" + axis + "}\n");
    ASSERT_EQ(lines.size(), 1U) << axis;
    EXPECT_NE(lines.front().find(part), std::string::npos) << lines.front();
  };
  only("job: [w8a8]", "expected a section that is not empty");
  only("job: [{label: a}]", "expected a section that is not empty");
  only("job: [{evaluate: {windows: 2}}]", "'evaluate' cannot differ between rows");
  only("scheme: [{label: [a], name: w8a8}]", "label: expected a text");
  only("scheme: [{label: a, name: w8a8}, {label: a, name: w4a4}]", "'a' is in the list twice");
  only("job: [{scheme: {name: w8a8}}], scheme: [w4a4]", "sets what axis 'job' sets too");
}

TEST(LoadComparison, opens_a_scheme_given_by_name) {
  const auto rows =
      compared("scheme: w4a4\ncompare: {scheme.activations.granularity: [per_tensor, per_token]}\n")
          .rows;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].job.scheme, *scheme_named("w4a4"));
  EXPECT_EQ(rows[1].job.scheme.weights.bits, 4);
  EXPECT_EQ(rows[1].job.scheme.activations.granularity, Granularity::per_token);
}

TEST(LoadComparison, gives_rows_that_read_as_the_same_jobs_on_their_own) {
  const JobFile file(least_comparison +
                     "compare: {transform: [{method: none}, {method: smoothquant, alpha: 0.7}]}\n");
  for (const auto& row : file.comparison().rows) {
    const Job again = JobFile(row.job.text).job();
    EXPECT_EQ(again.transform, row.job.transform);
    EXPECT_EQ(again.text, row.job.text);
  }
}

TEST(LoadComparison, needs_of_the_job_itself_only_what_no_row_gives) {
  const JobFile file(
      "model: m\noutput: o\nevaluate: {perplexity: [e.txt]}\n"
      "compare: {calibration: [{corpus: a.txt}, {random: ascii}]}\n");
  EXPECT_EQ(file.comparison_faults(), Lines{});
  EXPECT_EQ(file.faults(),
            (Lines{"job.yaml: calibration: give corpus: FILE (.txt, .jsonl, .tsv, .h5, "
                   ".safetensors) or random: ascii | vocabulary"}));
}

TEST(LoadComparison, allows_keys_that_take_effect_in_some_row) {
  const std::string job = least_comparison +
                          "transform: {alpha: 0.5, search: exact, search_samples: 4}\n"
                          "compare: {transform.method: [none, smoothquant, os_plus]}\n";
  EXPECT_EQ(JobFile(job).comparison_faults(), Lines{});
  EXPECT_EQ(JobFile(job).faults(), Lines{});
}

TEST(LoadComparison, refuses_keys_that_take_effect_in_no_row) {
  EXPECT_EQ(faults_of_more("transform: {alpha: 0.5, method: none}\n"
                           "compare: {transform.method: [none, os_plus]}\n"),
            (Lines{"job.yaml:7: transform.alpha: cannot take effect: only smoothquant reads it; "
                   "method is none"}));
  EXPECT_EQ(faults_of_more("compare:\n  transform:\n    - {method: smoothquant}\n"
                           "    - {method: os_plus, alpha: 0.5}\n"),
            (Lines{"job.yaml:10: transform.alpha: cannot take effect: only smoothquant reads it; "
                   "method is os_plus"}));
}

TEST(LoadComparison, takes_settings_first) {
  const auto rows = compared("compare: {scheme: [w8a8, w6a6]}\n",
                             {"compare.scheme=[w4a4]", "transform.method=none"})
                        .rows;
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].job.scheme, *scheme_named("w4a4"));
  EXPECT_EQ(rows[0].job.transform.method, Method::none);
  EXPECT_EQ(compared("", {"compare.transform.method=[none, os_plus]"}).rows.size(), 2U);
}

struct OneFault {
  const char* more;   // lines after a least comparison: the first is line 7
  const char* fault;  // after "job.yaml:"

  friend std::ostream& operator<<(std::ostream& out, const OneFault& expected) {
    return out << expected.more;
  }
};

class ComparisonFault : public testing::TestWithParam<OneFault> {};

TEST_P(ComparisonFault, is_reported_once_with_its_line) {
  const Lines expected{std::string("job.yaml:") + GetParam().fault};
  EXPECT_EQ(faults_of_more(GetParam().more), expected);
  // A job validates its comparison, though it leaves it out.
  EXPECT_EQ(JobFile(least_comparison + GetParam().more).faults(), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Axes, ComparisonFault,
    testing::Values(
        OneFault{"compare: []",
                 "7: compare: expected lists of what to compare, such as transform.method: [none, "
                 "os_plus]; got a list"},
        OneFault{"compare: {}",
                 "7: compare: expected lists of what to compare, such as transform.method: [none, "
                 "os_plus]; got an empty section"},
        OneFault{"compare: {scheme: w8a8}",
                 "7: compare.scheme: expected a list of what to compare; got 'w8a8'"},
        OneFault{"compare: {scheme: []}",
                 "7: compare.scheme: expected a list of what to compare; got an empty one"},
        OneFault{"compare: {scheme: [~]}",
                 "7: compare.scheme: expected a value or a section that is not empty; got no "
                 "value"},
        OneFault{"compare: {transform: [{}]}",
                 "7: compare.transform: expected a value or a section that is not empty; got a "
                 "section"},
        OneFault{"compare: {scheme: [w8a8,\n  w4a4, w8a8]}",
                 "8: compare.scheme: 'w8a8' is in the list twice"},
        OneFault{
            "compare: {scheme: [w8a8, w3a3]}",
            "7: scheme: 'w3a3' is not supported; supported: w8a8, w6a6, w4a4, w8a16, "
            "w4a16, w4_column_wise, nf4, fp4, naive_w8a8, vector_wise, zeroquant_w8a8, llm_int8, "
            "recommended_w8a8, recommended_w6a6, recommended_w4a4"},
        OneFault{"compare: {transform: [none]}",
                 "7: transform: expected a section with the keys method, search_samples, search, "
                 "shift, scale, objective, outlier_threshold, alpha, clip, sites, plain_layout; "
                 "got 'none'"},
        OneFault{"compare: {transform.metod: [none]}",
                 "7: compare.transform.metod: unknown key; did you mean 'method'?"},
        OneFault{"compare: {transform.method.x: [none]}",
                 "7: compare.transform.method.x: unknown key"},
        OneFault{"compare: {evaluate.windows: [3]}",
                 "7: compare.evaluate.windows: no axis; an axis is job, model, or a key or section "
                 "of transform, "
                 "scheme or calibration, such as transform.method"},
        OneFault{"compare:\n  transform: [{method: none}]\n  transform.method: [os_plus]",
                 "9: compare.transform.method: sets what axis 'transform' sets too; put them into "
                 "one axis"},
        OneFault{"compare:\n  scheme: [w8a8]\n  scheme.weights.bits: [4]",
                 "9: compare.scheme.weights.bits: sets what axis 'scheme' sets too; put them into "
                 "one axis"}));

TEST(LoadComparison, refuses_an_axis_that_leads_through_a_value) {
  EXPECT_EQ(faults_of_more("transform: none\ncompare: {transform.alpha: [0.5]}\n"),
            (Lines{"job.yaml:7: transform: expected a section with the keys method, "
                   "search_samples, search, shift, scale, objective, outlier_threshold, "
                   "alpha, clip, sites, plain_layout; got 'none'",
                   "job.yaml:8: compare.transform.alpha: leads through a value that is no "
                   "section"}));
}

TEST(LoadComparison, bounds_the_number_of_rows) {
  std::string more = "compare:\n";
  const auto axis = [&](const std::string& path, int entries) {
    more += "  " + path + ": [1";
    for (int i = 2; i <= entries; ++i) more += ", " + std::to_string(i);
    more += "]\n";
  };
  axis("calibration.samples", 64);
  axis("calibration.batch", 65);
  EXPECT_EQ(faults_of_more(more), Lines{"job.yaml:7: compare: asks for more than 4096 rows"});
}

TEST(LoadComparison, says_when_there_is_nothing_to_compare_or_to_evaluate) {
  EXPECT_EQ(JobFile(least_job).comparison_faults(),
            (Lines{"job.yaml: compare: missing; give lists of what to compare, such as "
                   "transform.method: [none, os_plus]",
                   "job.yaml: evaluate: missing; a comparison needs texts to evaluate, such as "
                   "evaluate: {perplexity: [text.txt]}"}));
}

}  // namespace
}  // namespace evenkeel
