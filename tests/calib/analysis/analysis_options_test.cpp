// The section `analyze` of a job, and load_analysis (calib/job.h), which reads it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/job.h"
#include "support/job_file.h"

namespace evenkeel {
namespace {

using support::JobFile;
using support::least_job;
using Lines = JobFile::Lines;
using Settings = std::vector<std::pair<std::string, std::string>>;

TEST(LoadAnalysis, OfAPlainJobIsItself) {
  const JobFile file(least_job);
  const Comparison analysis = file.analysis();
  ASSERT_EQ(analysis.rows.size(), 1U);
  EXPECT_EQ(analysis.rows[0].settings, Settings{});
  EXPECT_EQ(analysis.rows[0].job.model, file / "m");
  EXPECT_EQ(analysis.job.analyze, AnalysisOptions{});
}

TEST(LoadAnalysis, TakesModelsAndSetsOfAComparisonAlone) {
  const JobFile file(R"(output: out
calibration: {samples: 16, batch: 2}
transform: {search_samples: 8}
compare:
  model: [a, b]
  transform.method: [none, os_plus]
  calibration: [{corpus: x.txt}, {label: noise, random: ascii}]
  job: [{scheme: w8a8}, {scheme: w4a4}]
evaluate: {perplexity: [text.txt]}
)");
  const Comparison analysis = file.analysis();
  ASSERT_EQ(analysis.rows.size(), 4U);
  EXPECT_EQ(analysis.rows[1].settings, (Settings{{"model", "a"}, {"calibration", "noise"}}));
  EXPECT_EQ(analysis.rows[1].job.calibration.corpus.random, CorpusOptions::Random::ascii);
  EXPECT_EQ(analysis.rows[2].job.model, file / "b");
  EXPECT_EQ(analysis.rows[2].job.calibration.corpus.file, file / "x.txt");
  EXPECT_TRUE(analysis.job.evaluate.files().empty());
  EXPECT_EQ(file.comparison_faults(), Lines{});  // the same file serves compare
  EXPECT_EQ(file.comparison().rows.size(), 16U);
}

TEST(LoadAnalysis, OtherAxesAloneLeaveTheJobsOwnSet) {
  const JobFile file(least_job +
                     "transform: {search_samples: 8}\n"
                     "compare: {transform.method: [none, os_plus], scheme: [w8a8]}\n");
  ASSERT_EQ(file.analysis().rows.size(), 1U);
  EXPECT_TRUE(file.analysis().rows[0].settings.empty());
}

TEST(LoadAnalysis, ReadsItsOptions) {
  const JobFile file(least_job +
                     "analyze:\n"
                     "  outlier_threshold: 3\n"
                     "  outlier_blocks: 0.5\n"
                     "  outlier_tokens: 0.1\n"
                     "  pooling: 8\n"
                     "  bits: 4\n"
                     "  histogram_bins: 7\n");
  const AnalysisOptions expected{.outlier_threshold = 3.0,
                                 .outlier_blocks = 0.5,
                                 .outlier_tokens = 0.1,
                                 .pooling = 8,
                                 .bits = 4,
                                 .histogram_bins = 7,
                                 .histogram_range = 2.5};
  EXPECT_EQ(file.analysis({"analyze.histogram_range=2.5"}).job.analyze, expected);
  EXPECT_EQ(file.job({"analyze.histogram_range=2.5"}).analyze, expected);
}

TEST(LoadAnalysis, FaultsOfItsOptionsInEveryCommand) {
  const JobFile file(least_job +
                     "analyze:\n"
                     "  outlier_treshold: 3\n"
                     "  outlier_blocks: 1.5\n"
                     "  outlier_tokens: -0.1\n"
                     "  pooling: 0\n"
                     "  bits: 9\n"
                     "  histogram_bins: 8\n"
                     "  histogram_range: 0\n");
  const Lines expected{
      "job.yaml:7: analyze.outlier_treshold: unknown key; did you mean 'outlier_threshold'?",
      "job.yaml:8: analyze.outlier_blocks: expected a number from 0 to 1; got '1.5'",
      "job.yaml:9: analyze.outlier_tokens: expected a number from 0 to 1; got '-0.1'",
      "job.yaml:10: analyze.pooling: expected an integer from 1 to 1000000 in decimal digits; got "
      "'0'",
      "job.yaml:11: analyze.bits: expected an integer from 2 to 8 in decimal digits; got '9'",
      "job.yaml:12: analyze.histogram_bins: expected an odd number, so that zero is the middle of "
      "a bin; got 8",
      "job.yaml:13: analyze.histogram_range: expected a number from 1e-06 to 1000000; got '0'"};
  EXPECT_EQ(file.analysis_faults(), expected);
  EXPECT_EQ(file.faults(), expected);
}

TEST(LoadAnalysis, SettingsOfWhatIsNotReadAreFaults) {
  const JobFile file(least_job);
  for (const std::string setting : {"transform.method=none", "scheme=w4a4", "evaluate.windows=3",
                                    "compare.transform.method=[none]"}) {
    const Lines faults = file.analysis_faults({setting});
    ASSERT_EQ(faults.size(), 1U) << setting;
    EXPECT_EQ(faults[0], "--set " + setting.substr(0, setting.find('=')) +
                             ": cannot take effect: analyze looks at models as they are, on the "
                             "sets of calibration or compare.calibration");
  }
  EXPECT_EQ(file.analysis_faults({"compare.calibration=[{samples: 3}]", "calibration.seed=0"}),
            Lines{});
}

TEST(LoadAnalysis, FaultsOfWhatIsReadHaveTheirLines) {
  const JobFile file(
      "output: out\n"
      "calibration: {corpus: text.txt, sampels: 3}\n"
      "compare:\n"
      "  calibration: [{samples: 1}, {samples: 1}]\n");
  EXPECT_EQ(file.analysis_faults(),
            (Lines{"job.yaml: model: missing; give the checkpoint's folder, such as model: "
                   "path/to/model",
                   "job.yaml:2: calibration.sampels: unknown key; did you mean 'samples'?",
                   "job.yaml:4: compare.calibration: 'samples: 1' is in the list twice"}));
}

}  // namespace
}  // namespace evenkeel
