#include "calib/report/run_report.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "calib/report/chart_csv.h"

namespace evenkeel {
namespace {

RunResults two_blocks() {
  RunResults results;
  results.model = "opt<b>";
  results.architecture = "opt";
  results.parameters = 3567168;
  results.job_file = "job.yaml";
  results.method = "os_plus";
  results.scheme_name = "w6a6";
  results.scores = {{Metric::perplexity, "a.txt", 19.7635, 21.0},
                    {Metric::perplexity, "b.txt", 19.7635, 51.2533}};
  results.seconds = {{"observe", 1.0}, {"search", 2.0}, {"total", 4.0}};
  results.peak_memory = 1 << 20;
  results.job = "model: <script>\n";
  results.blocks = 2;
  for (std::size_t block = 0; block < 9; ++block) {
    results.sites.push_back({.block = block,
                             .kind = "mlp",
                             .method = "os_plus",
                             .threshold = 2.0,
                             .loss_before = 4.0,
                             .loss_after = block == 3 ? 3.0 : 0.1,
                             .curve = {{1.0, 0.5}, {2.0, 0.1}, {3.0, 4.0}},
                             .low = -10.0,
                             .high = 20.0,
                             .low_after = -2.0,
                             .high_after = 2.0});
    results.nodes.push_back({.block = block,
                             .kind = "mlp.input",
                             .channels = 2,
                             .low = -10.0,
                             .high = 20.0,
                             .largest_ratio = 7.0,
                             .outliers = 1,
                             .range = std::pair{-2.0, 2.0},
                             .step = 0.1});
  }
  results.bands = {{"blocks.0.mlp", {"before", {-10, -1}, {1, 20}}, {"after", {-2, -1}, {1, 2}}}};
  results.maps = {{"mlp.input", {.rows = 2, .columns = 2, .values = {1, 7, 1, 7}}}};
  return results;
}

const Chart& chart_of(const Page& page, const std::string& name) {
  for (const Chart& chart : page.charts()) {
    if (chart.name == name) return chart;
  }
  throw std::out_of_range("no chart " + name);
}

TEST(RunReport, AnswersInTwoSentences) {
  RunResults results = two_blocks();
  EXPECT_EQ(run_answers(results),
            (std::vector<std::string>{
                "OS+ at w6a6 on opt<b>: perplexity of b.txt 19.76 in full precision, 51.25 "
                "quantized (2.593 times), the most of 2 figures.",
                "The transform lowered the output error of its 9 sites to 2.5 % of what it was "
                "(median)."}));
  results.scores = {{Metric::accuracy, "dev.tsv", 0.922, 0.9}};
  results.sites.clear();
  results.method = "none";
  results.scheme_name = "";
  EXPECT_EQ(run_answers(results),
            (std::vector<std::string>{"No transform on opt<b>: accuracy of dev.tsv 92.20 % in full "
                                      "precision, 90.00 % quantized (-2.20 points)."}));
  results.scores.clear();
  EXPECT_EQ(run_answers(results),
            std::vector<std::string>{"No transform on opt<b>: nothing was evaluated."});
}

TEST(RunReport, ShowsFewSearchesAndTheWorst) {
  const Page page = run_report(two_blocks());
  const auto& plot = std::get<CurvePlot>(chart_of(page, "search-mlp").plot);
  std::vector<std::string> names;
  for (const Curve& curve : plot.curves) names.push_back(curve.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"block 0", "block 3", "block 4", "block 8", "chosen"}));
  EXPECT_EQ(plot.curves[0].points[1], (std::pair{2.0, 0.1 / 4.0}));
  EXPECT_EQ(plot.curves[4].points[1], (std::pair{2.0, 3.0 / 4.0}));
  EXPECT_TRUE(plot.curves[4].rings);
}

TEST(RunReport, HasATableAndAChartForAllThatItTells) {
  const Page page = run_report(two_blocks());
  const std::string html = page.html();
  for (const char* text :
       {"<td>b.txt</td><td>perplexity</td><td class=\"n\">19.7635</td>", ">2.593<",
        "<td>blocks.8.mlp</td>", "<td>-10 .. 20</td><td>-2 .. 2</td>",
        "<td>blocks.8.mlp.input</td>", "3.57 million", "model: &lt;script&gt;"}) {
    EXPECT_NE(html.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(csv_of(chart_of(page, "ranges-blocks-0-mlp")),
            "panel,channel,low,high\nbefore,0,-10,1\nbefore,1,-1,20\nafter,0,-2,1\nafter,1,-1,2\n");
  EXPECT_EQ(csv_of(chart_of(page, "outliers-mlp-input")), "block,0,1\n0,1,7\n1,1,7\n");
  EXPECT_EQ(csv_of(chart_of(page, "seconds")),
            "category,series,seconds,error\nobserve,seconds,1,\nsearch,seconds,2,\n");
  EXPECT_EQ(csv_of(chart_of(page, "magnitudes")).find("curve,block,largest magnitude"), 0U);
  EXPECT_NE(csv_of(chart_of(page, "quantized-ranges")).find("mlp.input,8,4\n"), std::string::npos);
}

TEST(RunReport, OfARunWithoutSitesOrTextsHasNoSuchSections) {
  RunResults results = two_blocks();
  results.sites.clear();
  results.scores.clear();
  results.bands.clear();
  const std::string html = run_report(results).html();
  EXPECT_EQ(html.find(">Sites<"), std::string::npos);
  EXPECT_EQ(html.find(">Texts<"), std::string::npos);
  EXPECT_NE(html.find(">Channels<"), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
