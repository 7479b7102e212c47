#include "calib/compare/compare.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Settings = std::vector<std::pair<std::string, std::string>>;
constexpr const char* text = "evaluation.safetensors";

class CompareTest : public testing::Test {
 protected:
  // The tiny job with a comparison.
  Comparison comparison(const std::string& section,
                        const std::vector<std::string>& settings = {}) const {
    const std::string job = support::read_bytes(tiny_.file());
    support::write_bytes(tiny_ / "compare.yaml", job + "compare:\n" + section);
    return load_comparison(tiny_ / "compare.yaml", settings);
  }
  ComparisonResult run(const Comparison& comparison) const {
    Progress silent;
    return run_comparison(comparison, silent);
  }
  Json written() const { return Json::parse(support::read_bytes(tiny_.output() / "compare.json")); }
  double of_a_job(const std::vector<std::string>& settings) const {
    Progress silent;
    std::vector<std::string> all = settings;
    all.push_back("output=" + (tiny_ / "alone").string());
    const auto summary = run_job(tiny_.job(all), silent);
    return summary.at("perplexity").at(text).at("quantized");
  }

  support::TinyJob tiny_;
};

TEST_F(CompareTest, EachRowIsAJobsFigure) {
  const auto result =
      run(comparison("  transform.method: [none, os_plus]\n"
                     "  scheme: [w8a8, w4a4]\n"));
  ASSERT_EQ(result.rows.size(), 4U);
  std::size_t next = 0;
  for (const std::string method : {"none", "os_plus"}) {
    for (const std::string scheme : {"w8a8", "w4a4"}) {
      const ComparedRow& row = result.rows[next++];
      EXPECT_EQ(row.settings, (std::vector<std::pair<std::string, std::string>>{
                                  {"transform.method", method}, {"scheme", scheme}}));
      ASSERT_EQ(row.scores.size(), 1U);
      EXPECT_EQ(row.scores[0].label, text);
      EXPECT_EQ(row.scores[0].main().value,
                of_a_job({"transform.method=" + method, "scheme=" + scheme}));
      EXPECT_FALSE(row.baseline.has_value());
    }
  }
  Progress silent;
  ASSERT_EQ(result.full_precision.size(), 1U);
  EXPECT_EQ(result.full_precision[0].scores.at(0).main().value, [&] {
    const auto summary = run_job(tiny_.job(), silent);
    return summary.at("perplexity").at(text).at("full_precision").get<double>();
  }());
}

TEST_F(CompareTest, CalibrationSetsDifferFromTheFirst) {
  const auto result = run(comparison(
      "  calibration: [{corpus: calibration.safetensors}, {random: vocabulary}, {random: ascii}]\n"
      "  scheme: [w8a8, w4a4]\n"));
  ASSERT_EQ(result.rows.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const ComparedRow& row = result.rows[i];
    const ComparedRow& first = result.rows[i % 2];
    ASSERT_EQ(row.settings[1], first.settings[1]);
    if (i < 2) {
      EXPECT_FALSE(row.baseline.has_value());
      continue;
    }
    EXPECT_EQ(row.baseline, i % 2);
    ASSERT_TRUE(row.scores.at(0).main().to_baseline.has_value());
    const double ratio = row.scores[0].main().value / first.scores[0].main().value;
    EXPECT_NEAR(std::exp(row.scores[0].main().to_baseline->difference), ratio, 1e-12 * ratio);
    EXPECT_NE(row.scores[0].main().to_baseline->difference, 0.0);
  }
}

TEST_F(CompareTest, RowsSideBySideShareWhatTheyPropagate) {
  const auto result =
      run(comparison("  transform.method: [none, smoothquant, os_plus]\n"
                     "  scheme: [{name: w4a4, propagate: full_precision}]\n"));
  ASSERT_EQ(result.rows.size(), 3U);
  std::size_t next = 0;
  for (const std::string method : {"none", "smoothquant", "os_plus"}) {
    EXPECT_EQ(
        result.rows[next++].scores[0].main().value,
        of_a_job({"transform.method=" + method, "scheme={name: w4a4, propagate: full_precision}"}));
  }
}

TEST_F(CompareTest, SeedsAreCalibrationsOfTheirOwn) {
  const auto result =
      run(comparison("  calibration: [{corpus: calibration.safetensors}, {random: vocabulary}]\n",
                     {"calibration.seeds=[3, 5]"}));
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_TRUE(result.rows[0].seeds.empty());
  EXPECT_TRUE(std::isnan(result.rows[0].scores.at(0).main().seed_error));
  const ComparedRow& drawn = result.rows[1];
  EXPECT_EQ(drawn.seeds, (std::vector<std::uint64_t>{3, 5}));
  std::vector<double> values;
  for (std::size_t run = 0; run < 2; ++run) {
    values.push_back(drawn.scores.at(0).main().runs.at(run));
    EXPECT_EQ(values.back(),
              of_a_job({"calibration={random: vocabulary, samples: 6, sequence_length: 16, batch: "
                        "2, seed: " +
                        std::to_string(drawn.seeds[run]) + "}"}));
  }
  EXPECT_NE(values[0], values[1]);
  EXPECT_NEAR(drawn.scores[0].main().value, std::sqrt(values[0] * values[1]), 1e-12 * values[0]);
  EXPECT_NEAR(drawn.scores[0].main().seed_error, std::abs(values[0] - values[1]) / 2.0,
              1e-12 * values[0]);
  EXPECT_EQ(written().at("rows").at(1).at("seeds"), (Json{3, 5}));
  EXPECT_EQ(written().at("rows").at(1).at("runs").at(text).at("perplexity"), Json(values));
}

TEST_F(CompareTest, ABaselineIsARowOrFullPrecision) {
  const std::string axes = "  transform.method: [none, os_plus]\n  scheme: [w8a8, w4a4]\n";
  const auto by_method = run(comparison(axes + "  baseline: {transform.method: os_plus}\n"));
  EXPECT_EQ(by_method.rows[0].baseline, 2U);
  EXPECT_EQ(by_method.rows[1].baseline, 3U);
  EXPECT_FALSE(by_method.rows[2].baseline.has_value());
  const auto one = run(comparison(axes + "  baseline: {transform.method: none, scheme: w8a8}\n"));
  for (const std::size_t row : {1U, 2U, 3U}) EXPECT_EQ(one.rows[row].baseline, 0U);
  const auto none =
      run(comparison("  calibration: [{corpus: calibration.safetensors}, {random: ascii}]\n"
                     "  baseline: full precision\n"));
  EXPECT_FALSE(none.rows[1].baseline.has_value());
}

TEST_F(CompareTest, ContinuesWithWhatAnEarlierAttemptFinished) {
  const auto wanted = comparison("  scheme: [w8a8, w4a4]\n", {"memory_limit=1 B"});
  const Json expected = to_json(run(wanted));
  class Killed final : public Progress {
    void step(std::string_view task, int done, int /*total*/, std::string_view) override {
      if (task == "compare" && done == 2) throw MachineError("killed");
    }
  } killer;
  EXPECT_THROW(run_comparison(wanted, killer), MachineError);
  class Steps final : public Progress {
   public:
    void remark(std::string_view message) override { last = message; }
    void step(std::string_view task, int done, int /*total*/, std::string_view) override {
      if (task == "compare") first = std::min(first, done);
    }
    std::string last;
    int first = 100;
  } steps;
  Json again = to_json(run_comparison(wanted, steps));
  EXPECT_NE(steps.last.find("1 of 2 calibrations finished"), std::string::npos) << steps.last;
  EXPECT_EQ(steps.first, 2);
  for (std::size_t row = 0; row < 2; ++row) {
    again["rows"][row]["seconds"] = expected.at("rows").at(row).at("seconds");
  }
  EXPECT_EQ(again, expected);
}

TEST_F(CompareTest, ModelsAreMeasuredAgainstThemselves) {
  std::filesystem::copy(tiny_.job().model, tiny_.job().model.string() + "2",
                        std::filesystem::copy_options::recursive);
  const auto result = run(
      comparison("  model: [model, model2]\n"
                 "  job: [{label: as is, transform: {method: none}}, {scheme: {name: w4a4}}]\n"));
  ASSERT_EQ(result.full_precision.size(), 2U);
  EXPECT_EQ(result.full_precision[1].label, "model2");
  EXPECT_EQ(written().at("full_precision").at("model2").at("perplexity").at(text),
            result.full_precision[1].scores.at(0).main().value);
  ASSERT_EQ(result.rows.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(result.rows[i].model, i / 2);
    EXPECT_EQ(result.rows[i].scores[0].main().value, result.rows[i % 2].scores[0].main().value);
  }
  EXPECT_EQ(result.rows[0].settings, (Settings{{"model", "model"}, {"job", "as is"}}));
  EXPECT_NE(result.rows[0].scores[0].main().value, result.rows[1].scores[0].main().value);
}

TEST_F(CompareTest, FileHoldsWhatIsReturned) {
  const auto result =
      run(comparison("  calibration: [{corpus: calibration.safetensors}, {random: ascii}]\n"));
  const Json json = written();
  EXPECT_EQ(json, to_json(result));
  // Ratios are logarithms in memory.
  Json again = to_json(comparison_from(json));
  for (std::size_t row = 0; row < 2; ++row) {
    for (const char* to : {"to_full_precision", "to_baseline"}) {
      if (!json.at("rows").at(row).contains(to)) continue;
      for (const char* figure : {"ratio", "standard_error"}) {
        const double written_one =
            json.at("rows").at(row).at(to).at(text).at("perplexity").at(figure);
        Json& read = again["rows"][row][to][text]["perplexity"][figure];
        EXPECT_NEAR(read.get<double>(), written_one, 1e-14 * std::abs(written_one));
        read = written_one;
      }
    }
  }
  EXPECT_EQ(again, json);
  EXPECT_EQ(json.at("full_precision").at("perplexity"),
            (Json{{text, result.full_precision[0].scores.at(0).main().value}}));
  EXPECT_EQ(json.at("full_precision").at("standard_error").at(text).at("perplexity"),
            result.full_precision[0].scores.at(0).main().standard_error);
  ASSERT_EQ(json.at("rows").size(), 2U);
  const Json& first = json.at("rows").at(0);
  EXPECT_EQ(first.at("settings"), (Json{{"calibration", "corpus: calibration.safetensors"}}));
  EXPECT_EQ(first.at("perplexity"), (Json{{text, result.rows[0].scores[0].main().value}}));
  EXPECT_FALSE(first.contains("to_baseline"));
  for (const char* phase : {"total", "observe", "search", "quantize", "evaluate"}) {
    EXPECT_GE(first.at("seconds").at(phase), 0.0) << phase;
  }
  const Json& second = json.at("rows").at(1);
  EXPECT_EQ(second.at("baseline"), first.at("settings"));
  const PairedDifference& difference = *result.rows[1].scores.at(0).main().to_baseline;
  EXPECT_EQ(second.at("to_baseline").at(text).at("perplexity").at("ratio"),
            std::exp(difference.difference));
  EXPECT_EQ(second.at("to_baseline").at(text).at("perplexity").at("p"), difference.p_value);
}

TEST_F(CompareTest, LeavesAJobsOutputsAlone) {
  Progress silent;
  run_job(tiny_.job(), silent);
  support::FileBytes expected = support::files_below(tiny_.output());
  run(comparison("  scheme: [w8a8]\n"));
  support::FileBytes files = support::files_below(tiny_.output());
  const auto is_new = [](const auto& file) {
    return file.first == "compare.json" || file.first == "report.html" ||
           file.first.starts_with("charts/");
  };
  std::erase_if(files, is_new);
  std::erase_if(expected, is_new);
  EXPECT_TRUE(files == expected);
}

TEST_F(CompareTest, FaultOfTheLastRowCostsNothing) {
  class Never final : public Progress {
    void step(std::string_view, int, int, std::string_view) override { ADD_FAILURE(); }
  } progress;
  support::write_token_ids(tiny_ / "short.safetensors", 2, 16, 1);
  const auto wanted = comparison(
      "  calibration: [{corpus: calibration.safetensors}, {corpus: short.safetensors}]\n");
  support::expect_error<InputError>([&] { run_comparison(wanted, progress); },
                                    tiny_ / "short.safetensors", {});
  EXPECT_FALSE(std::filesystem::exists(tiny_.output()));
}

TEST_F(CompareTest, NeedsAText) {
  Comparison wanted = comparison("  scheme: [w8a8]\n");
  wanted.job.evaluate.perplexity.clear();
  support::expect_error<UsageError>([&] { run(wanted); }, tiny_ / "compare.yaml",
                                    {"evaluate.perplexity"});
}

TEST_F(CompareTest, ProgressGoesThroughAllRows) {
  class Steps final : public Progress {
   public:
    void step(std::string_view task, int done, int total, std::string_view detail) override {
      if (task != "compare") return;
      EXPECT_EQ(total, 4);
      done_counts.push_back(done);
      details.emplace_back(detail);
    }
    std::vector<int> done_counts;
    std::vector<std::string> details;
  } progress;
  run_comparison(comparison("  scheme: [w8a8, w4a4]\n"), progress);
  EXPECT_EQ(progress.done_counts, (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(progress.details, (std::vector<std::string>(3, "w8a8 and 1 more")));
  progress.done_counts.clear();
  progress.details.clear();
  run_comparison(comparison("  scheme: [w8a8, w4a4]\n", {"memory_limit=1 B"}), progress);
  EXPECT_EQ(progress.done_counts, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(progress.details, (std::vector<std::string>{"w8a8", "w8a8", "w4a4", "w4a4", "w4a4"}));
}

}  // namespace
}  // namespace evenkeel
