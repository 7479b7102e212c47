#include "calib/analysis/analysis_report.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/report/chart_csv.h"
#include "calib/report/drawing.h"
#include "io/errors.h"
#include "io/file.h"
#include "support/scratch_folder.h"
#include "support/written_analysis.h"

namespace evenkeel {
namespace {

Page page_of(const support::WrittenAnalysis& analysis) {
  const support::ScratchFolder folder;
  analysis.write(folder.path());
  return analysis_page(folder.path());
}

std::vector<std::string> names_of(const Page& page) {
  std::vector<std::string> names;
  for (const Chart& chart : page.charts()) names.push_back(chart.name);
  return names;
}

const Chart& chart_of(const Page& page, const std::string& name) {
  const auto found = std::ranges::find(page.charts(), name, &Chart::name);
  if (found == page.charts().end()) throw std::out_of_range("no chart " + name);
  return *found;
}

TEST(AnalysisReport, AnswersInTwoSentences) {
  support::WrittenAnalysis analysis;
  EXPECT_EQ(analysis_answers(analysis.result()),
            (std::vector<std::string>{
                "model with 2 calibration sets, 16 tokens in all: outlier dimensions (|x| > 6 in "
                "more than 25 % of the blocks and 6 % of the tokens of any set): 3 (2 at "
                "mlp.input, 1 at attention.input).",
                "Between sets maxima of channels correlate by 0.500, and ranges are 1.000 apart "
                "(0 alike, 2 at most)."}));
  // Pairs (0, 1), (0, 2), (1, 2) are 1, 1/2 and 1/3 apart.
  analysis.sets.emplace_back("third");
  analysis.models = {"a", "b"};
  EXPECT_EQ(analysis_answers(analysis.result()),
            (std::vector<std::string>{
                "2 models with 3 calibration sets, 48 tokens in all: outlier dimensions (|x| > 6 "
                "in more than 25 % of the blocks and 6 % of the tokens of any set): a 3 (2 at "
                "mlp.input, 1 at attention.input); b 3 (2 at mlp.input, 1 at attention.input).",
                "Between sets maxima of channels correlate by 0.500 at least, 0.750 in the median, "
                "and ranges are 1.000 apart at most (0 alike, 2 at most): first and second in "
                "a."}));
  analysis.sets = {"only"};
  analysis.models = {"a"};
  AnalysisResult result = analysis.result();
  for (auto& outliers : result.models[0].sets[0].outliers) outliers.clear();
  for (AnalyzedBlock& block : result.models[0].sets[0].blocks) block.rmse_per_token = 1.0;
  for (AnalyzedBlock& block : result.models[0].sets[0].blocks) block.rmse_per_tensor = 1.5;
  result.models[0].sets[0].blocks[1].rmse_per_tensor = 4.0;
  EXPECT_EQ(analysis_answers(result),
            (std::vector<std::string>{
                "a with 1 calibration set, 8 tokens in all: outlier dimensions (|x| > 6 in more "
                "than 25 % of the blocks and 6 % of the tokens of any set): none.",
                "At attention.input one range for all tokens costs 1.50 to 4.00 times the error of "
                "one for each."}));
}

TEST(AnalysisReport, HasTheseCharts) {
  EXPECT_EQ(names_of(page_of({})),
            (std::vector<std::string>{"magnitudes-of-attention-input-first",
                                      "magnitudes-of-attention-input-second",
                                      "magnitudes-of-mlp-input-first",
                                      "magnitudes-of-mlp-input-second",
                                      "magnitudes-of-mlp-hidden-first",
                                      "magnitudes-of-mlp-hidden-second",
                                      "ranges-of-channels-attention-query-of-block-0",
                                      "ranges-of-channels-attention-key-of-block-1",
                                      "ranges-of-channels-attention-input-of-block-2",
                                      "distribution-of-attention-output-first",
                                      "distribution-of-attention-output-in-block-1-by-set",
                                      "distribution-of-mlp-hidden-first",
                                      "distribution-of-mlp-hidden-in-block-1-by-set",
                                      "kurtosis-by-node-first",
                                      "kurtosis-of-attention-input",
                                      "kurtosis-of-mlp-hidden",
                                      "rmse-per-token-attention-input",
                                      "rmse-per-tensor-attention-input",
                                      "standard-deviation-of-a-token-attention-input",
                                      "spectral-norms",
                                      "gains-of-norms",
                                      "weights-of-block-1",
                                      "weights-of-self-attn-q-proj-longest-tails-in-block-1",
                                      "pooled-means-of-attention-input-first",
                                      "pooled-means-of-mlp-input-first"}));
}

TEST(AnalysisReport, ChartsHoldTheFigures) {
  const support::WrittenAnalysis analysis;
  const AnalyzedModel model = analysis.result().models[0];
  const Page page = page_of(analysis);
  const auto& ranges =
      std::get<BandPlot>(std::ranges::find_if(page.charts(), [](const Chart& chart) {
                           return std::holds_alternative<BandPlot>(chart.plot);
                         })->plot);
  ASSERT_EQ(ranges.panels.size(), 2U);
  EXPECT_EQ(ranges.panels[1].title, "second");
  double widest = 0.0;
  for (const AnalyzedBlock& block : model.sets[0].blocks) {
    for (const AnalyzedNode& node : block.nodes) widest = std::max(widest, node.high - node.low);
  }
  EXPECT_EQ(*std::ranges::max_element(ranges.panels[0].high) -
                *std::ranges::min_element(ranges.panels[0].low),
            widest);

  const auto& errors = std::get<CurvePlot>(chart_of(page, "rmse-per-token-attention-input").plot);
  ASSERT_EQ(errors.curves.size(), 2U);
  EXPECT_EQ(errors.curves[1].name, "second");
  EXPECT_EQ(errors.curves[1].points[2], (std::pair{2.0, model.sets[1].blocks[2].rmse_per_token}));
  const auto& kurtosis = std::get<CurvePlot>(chart_of(page, "kurtosis-by-node-first").plot);
  ASSERT_EQ(kurtosis.curves.size(), node_count - 1);
  EXPECT_EQ(kurtosis.curves[0].points[1].second, model.sets[0].blocks[1].nodes[0].kurtosis);
  EXPECT_EQ(csv_of(chart_of(page, "spectral-norms")),
            "curve,block,largest singular value\nself_attn.q_proj,0,2\nself_attn.q_proj,1,3\n"
            "self_attn.q_proj,2,4\nfc1,0,2\nfc1,1,3\nfc1,2,4\n");
  EXPECT_EQ(csv_of(chart_of(page, "gains-of-norms")),
            "curve,block,standard deviation of the gain\nmlp.input,0,0.5\nmlp.input,1,0.5\n"
            "mlp.input,2,0.5\n");
  const auto& blocks =
      std::get<HistogramPlot>(chart_of(page, "distribution-of-mlp-hidden-first").plot);
  ASSERT_EQ(blocks.outlines.size(), 3U);
  EXPECT_EQ(blocks.outlines[2].name, "block 2");
}

TEST(AnalysisReport, SetsByNumberFromThreeOn) {
  support::WrittenAnalysis analysis;
  analysis.sets = {"a", "b", "c"};
  const Page page = page_of(analysis);
  EXPECT_EQ(csv_of(chart_of(page, "correlation-of-maxima")),
            "set,0,1,2\n0,1,0.5,0.75\n1,0.5,1,0.8333333333333334\n2,0.75,0.8333333333333334,1\n");
  EXPECT_EQ(csv_of(chart_of(page, "distance-of-ranges")).substr(0, 20), "set,0,1,2\n0,0,1,0.5\n");
  const std::string html = page.html();
  EXPECT_LT(html.find("<td>a</td><td>b</td>"), html.find("<td>a</td><td>c</td>"));
  EXPECT_EQ(std::ranges::count(names_of(page_of({})), "correlation-of-maxima"), 0);
}

TEST(AnalysisReport, OfOneSetOneBlockAndSeveralModels) {
  support::WrittenAnalysis analysis;
  analysis.models = {"a", "b", "c", "d"};
  analysis.sets = {"only"};
  analysis.blocks = 1;
  const Page page = page_of(analysis);
  const std::string html = page.html();
  EXPECT_NE(html.find("Analysis of 4 models"), std::string::npos);
  EXPECT_EQ(html.find("Similarity of sets"), std::string::npos);
  EXPECT_NE(html.find("Charts of the first 2 of 4 models"), std::string::npos);
  EXPECT_EQ(std::ranges::count(names_of(page), "b-magnitudes-of-mlp-input"), 1);
  EXPECT_EQ(std::ranges::count(names_of(page), "c-magnitudes-of-mlp-input"), 0);
  const auto& errors = std::get<CurvePlot>(chart_of(page, "rmse-per-token-attention-input").plot);
  EXPECT_EQ(errors.curves.size(), 4U);
}

TEST(AnalysisReport, HostileLabelsAreTexts) {
  const std::string hostile = "<script>alert(1)</script>\n\"`$(x)`\\ %s END";
  support::WrittenAnalysis analysis;
  analysis.models = {hostile};
  analysis.sets = {hostile, "</td>\x01", "plain"};
  const Page page = page_of(analysis);
  const auto drawings = draw(page.charts());
  const std::string html = page.html(drawings.value_or(Drawings{}));
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;\\x0a"), std::string::npos);
  if (!drawings) return;
  for (const auto& drawing : *drawings) {
    ASSERT_TRUE(drawing.has_value());
    EXPECT_EQ(drawing->find("<script"), std::string::npos);
  }
}

TEST(AnalysisReport, RefusesMissingAndDamagedFiles) {
  const support::ScratchFolder folder;
  EXPECT_THROW(analysis_page(folder.path()), InputError);
  support::WrittenAnalysis().write(folder.path());
  const std::string whole = read_text(folder / "analysis.h5");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2}) {
    write_text(folder / "analysis.h5", whole.substr(0, size));
    EXPECT_THROW(analysis_page(folder.path()), InputError) << size;
  }
  std::filesystem::remove(folder / "analysis.h5");
  EXPECT_THROW(analysis_page(folder.path()), InputError);
}

// Of 48 blocks of 4096 channels, 16384 in the MLP.
support::WrittenAnalysis large_analysis() {
  support::WrittenAnalysis analysis;
  analysis.blocks = 48;
  analysis.channels = 4096;
  analysis.hidden = 16384;
  return analysis;
}

constexpr std::size_t most_bytes = 3'000'000;

TEST(AnalysisReport, OfManySetsOfALargeModelIsSmall) {
  if (!can_draw()) GTEST_SKIP() << "needs the program gnuplot";
  support::WrittenAnalysis analysis = large_analysis();
  for (int set = 2; set < 25; ++set) {
    analysis.sets.push_back("calibration set " + std::to_string(set));
  }
  const Page page = page_of(analysis);
  EXPECT_LT(page.html(draw(page.charts()).value()).size(), most_bytes);
}

TEST(AnalysisReport, OfSeveralLargeModelsIsSmall) {
  if (!can_draw()) GTEST_SKIP() << "needs the program gnuplot";
  support::WrittenAnalysis analysis = large_analysis();
  analysis.models = {"a", "b", "c"};
  analysis.whole_sets = 1;
  const Page page = page_of(analysis);
  EXPECT_LT(page.html(draw(page.charts()).value()).size(), most_bytes);
}

}  // namespace
}  // namespace evenkeel
