#include "calib/report/report.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/compare/compare.h"
#include "calib/report/run_results.h"
#include "calib/runner.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

class Notes final : public Progress {
 public:
  void note(std::string_view message) override { all.emplace_back(message); }
  std::vector<std::string> all;
};

class Report : public ::testing::Test {
 protected:
  Report() {
    Progress silent;
    run_job(tiny_.job(), silent);
  }
  fs::path output() const { return tiny_.output(); }
  std::string record() const { return (output() / "calibration.h5").string(); }

  support::TinyJob tiny_;
  Notes notes_;
};

TEST_F(Report, IsTheSameWhenWrittenAnew) {
  const support::FileBytes first = support::files_below(output());
  EXPECT_FALSE(read_text(output() / "report.html").empty());
  EXPECT_TRUE(fs::exists(output() / "charts/search-mlp.csv"));
  fs::remove_all(output() / "charts");
  fs::remove(output() / "report.html");
  write_report(output(), notes_);
  EXPECT_EQ(support::files_below(output()), first);
  EXPECT_TRUE(notes_.all.empty());
}

TEST_F(Report, HoldsWhatSummaryAndRecordSay) {
  const RunResults results = read_run_results(output());
  const Hdf5Reader file(record());
  EXPECT_EQ(results.model, "model");
  EXPECT_EQ(results.method, "os_plus");
  EXPECT_EQ(results.scheme_name, "w8a8");
  EXPECT_EQ(results.job, tiny_.job().text);
  EXPECT_EQ(results.blocks, 2U);
  ASSERT_EQ(results.scores.size(), 1U);
  EXPECT_EQ(results.nodes.size(), 16U);
  ASSERT_EQ(results.sites.size(), 4U);
  EXPECT_EQ(results.sites[3].name(), "blocks.1.mlp");
  EXPECT_EQ(results.bands.size(), 3U);
  EXPECT_EQ(results.maps.size(), 3U);
  for (const RunSite& site : results.sites) {
    const std::string path = "/blocks/" + std::to_string(site.block) + "/sites/" + site.kind;
    const std::string node =
        "/blocks/" + std::to_string(site.block) + "/nodes/" + site.kind + ".input";
    EXPECT_EQ(site.threshold, file.number_attribute(path, "threshold"));
    const auto low = file.dataset(node + "/min");
    const auto shift = file.dataset(path + "/shift");
    const auto scale = file.dataset(path + "/scale");
    double least = 1e9;
    double least_after = 1e9;
    for (std::size_t j = 0; j < low.size(); ++j) {
      least = std::min(least, low[j]);
      least_after = std::min(least_after, (low[j] - shift[j]) / scale[j]);
    }
    EXPECT_EQ(site.low, least);
    EXPECT_EQ(site.low_after, least_after);
  }
}

TEST_F(Report, RefusesWhatIsNoOutputOfAJob) {
  const support::ScratchFolder empty;
  support::expect_error<InputError>([&] { write_report(empty.path(), notes_); }, empty.path(),
                                    {"nothing to report on: there is none of summary.json, "
                                     "compare.json, scaling.json, analysis.json, "
                                     "sensitivity.json"});
  EXPECT_FALSE(fs::exists(empty / "report.html"));
  support::expect_error<InputError>([&] { write_report(empty / "absent", notes_); },
                                    empty / "absent", {"nothing to report on"});
  EXPECT_FALSE(fs::exists(empty / "absent"));
}

TEST_F(Report, RefusesDamagedFilesAndLeavesTheOldReport) {
  const std::string report = read_text(output() / "report.html");
  const std::string summary = read_text(output() / "summary.json");
  for (const std::string& bad : {std::string("{"), std::string("{}"), std::string("[]"),
                                 summary.substr(0, summary.size() / 2)}) {
    write_text(output() / "summary.json", bad);
    EXPECT_THROW(write_report(output(), notes_), InputError) << bad;
  }
  write_text(output() / "summary.json", summary);
  const std::string whole = read_text(record());
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2}) {
    write_text(record(), whole.substr(0, size));
    EXPECT_THROW(write_report(output(), notes_), InputError) << size;
  }
  EXPECT_EQ(read_text(output() / "report.html"), report);
}

TEST_F(Report, RefusesARecordWhoseSizesDoNotFit) {
  fs::remove(record());
  Hdf5Writer file(record());
  file.text("/job", "model: x\n");
  file.attribute("/", "id", std::string_view("id"));
  const std::vector<float> two{1.0F, 2.0F};
  const std::vector<float> one{1.0F};
  file.dataset("/blocks/0/nodes/mlp.input/absmax", two);
  file.dataset("/blocks/0/nodes/mlp.input/min", one);
  file.dataset("/blocks/0/nodes/mlp.input/max", two);
  file.commit();
  support::expect_error<InputError>([&] { write_report(output(), notes_); }, record(),
                                    {"'/blocks/0/nodes/mlp.input/min': expected 2 values"});
}

TEST_F(Report, OfARunThatCannotBeToldIsANote) {
  OutputFolder folder(tiny_ / "other");
  write_text(folder.stage("summary.json"), "{}");
  stage_reports(folder, notes_);
  folder.commit();
  ASSERT_EQ(notes_.all.size(), 1U);
  EXPECT_NE(notes_.all.front().find("report.html leaves out summary.json"), std::string::npos);
  EXPECT_NE(read_text(tiny_ / "other/report.html").find("No report could be made"),
            std::string::npos);
}

TEST_F(Report, ShowsEverythingThatTheFolderHolds) {
  const std::string job = read_text(tiny_.file());
  write_text(tiny_ / "compare.yaml", job + "compare: {scheme: [w8a8, w4a4]}\n");
  run_comparison(load_comparison(tiny_ / "compare.yaml"), notes_);
  const std::string report = read_text(output() / "report.html");
  const std::size_t run = report.find("<h1>");
  const std::size_t comparison = report.find("<h1>Comparison: ");
  ASSERT_NE(comparison, std::string::npos);
  EXPECT_LT(run, comparison);
  EXPECT_TRUE(fs::exists(output() / "charts/seconds.csv"));
  EXPECT_TRUE(fs::exists(output() / "charts/seconds-2.csv"));
  write_report(output(), notes_);
  EXPECT_EQ(read_text(output() / "report.html"), report);
  write_text(output() / "compare.json", "{}");
  support::expect_error<InputError>([&] { write_report(output(), notes_); },
                                    output() / "compare.json", {"calibrate compare", "again"});
}

}  // namespace
}  // namespace evenkeel
