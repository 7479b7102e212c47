#include "calib/report/report_files.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/report/drawing.h"
#include "io/file.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

class Notes final : public Progress {
 public:
  void note(std::string_view message) override { all.emplace_back(message); }
  std::vector<std::string> all;
};

Page one_figure() {
  Page page("t");
  page.figure({.name = "curve",
               .title = "a curve",
               .plot = CurvePlot{{{.name = "c", .points = {{1, 2}, {2, 3}}}}}},
              "");
  page.figure({.name = "gaps", .title = "nothing"}, "");
  return page;
}

TEST(ReportFiles, ArePageDrawingsAndFigures) {
  if (!can_draw()) GTEST_SKIP() << "gnuplot is not installed";
  const support::ScratchFolder scratch;
  Notes notes;
  OutputFolder folder(scratch / "out");
  stage_report(one_figure(), folder, notes);
  EXPECT_FALSE(std::filesystem::exists(scratch / "out/report.html"));
  folder.commit();
  const std::string svg = read_text(scratch / "out/charts/curve.svg");
  EXPECT_EQ(svg.find("<?xml"), 0U);
  EXPECT_NE(read_text(scratch / "out/report.html")
                .find(svg.substr(svg.find("<svg"), svg.rfind("</svg>") - svg.find("<svg"))),
            std::string::npos);
  EXPECT_EQ(read_text(scratch / "out/charts/curve.csv"), "curve,x,y\nc,1,2\nc,2,3\n");
  EXPECT_TRUE(std::filesystem::exists(scratch / "out/charts/gaps.csv"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out/charts/gaps.svg"));
  EXPECT_TRUE(notes.all.empty());
}

TEST(ReportFiles, ReplaceThoseOfAnEarlierReport) {
  const support::ScratchFolder scratch;
  Notes notes;
  for (const char* name : {"old", "new"}) {
    OutputFolder folder(scratch / "out");
    Page page("t");
    page.figure({.name = name, .title = name}, "");
    stage_report(page, folder, notes);
    folder.commit();
  }
  EXPECT_TRUE(std::filesystem::exists(scratch / "out/charts/new.csv"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out/charts/old.csv"));
}

TEST(ReportFiles, DoWithoutGnuplotAndSaySo) {
  const support::ScratchFolder scratch;
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(setenv("PATH", scratch.path().c_str(), 1), 0);
  Notes notes;
  OutputFolder folder(scratch / "out");
  stage_report(one_figure(), folder, notes);
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  folder.commit();
  ASSERT_EQ(notes.all.size(), 1U);
  EXPECT_NE(notes.all.front().find("gnuplot-nox"), std::string::npos);
  EXPECT_EQ(read_text(scratch / "out/report.html").find("<svg"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(scratch / "out/charts/curve.csv"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out/charts/curve.svg"));
}

}  // namespace
}  // namespace evenkeel
