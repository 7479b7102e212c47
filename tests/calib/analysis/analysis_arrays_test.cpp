#include "calib/analysis/analysis_arrays.h"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "calib/analysis/analysis_record.h"
#include "io/errors.h"
#include "io/file.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/written_analysis.h"

namespace evenkeel {
namespace {

class AnalysisArraysTest : public testing::Test {
 protected:
  AnalysisArraysTest() { written_.write(folder_.path()); }
  std::filesystem::path file() const { return folder_ / "analysis.h5"; }

  support::ScratchFolder folder_;
  support::WrittenAnalysis written_;
  AnalysisResult result_ = written_.result();
};

TEST_F(AnalysisArraysTest, AreWhatWasObserved) {
  const AnalysisArrays arrays(file(), result_);
  EXPECT_EQ(arrays.job(), "model: <script>\n");
  const Matrix seen = written_.activations(1, 2, Node::mlp_hidden);
  const BandPlot::Panel panel = arrays.ranges(0, 1, 2, Node::mlp_hidden);
  const HeatMap map = arrays.magnitudes(0, 1, Node::mlp_hidden);
  const HeatMap means = arrays.pooled_means(0, 1, Node::mlp_hidden);
  ASSERT_EQ(panel.low.size(), 96U);
  EXPECT_EQ(map.rows, 3U);
  EXPECT_EQ(map.columns, 96U);
  EXPECT_EQ(map.column_width, 1U);
  EXPECT_EQ(means.columns, 3U);
  EXPECT_EQ(means.column_width, 32U);
  for (Index j = 0; j < 96; ++j) {
    const auto i = static_cast<std::size_t>(j);
    EXPECT_EQ(panel.low[i], static_cast<double>(seen.col(j).minCoeff()));
    EXPECT_EQ(panel.high[i], static_cast<double>(seen.col(j).maxCoeff()));
    EXPECT_EQ(map.values[2 * 96 + i], static_cast<double>(seen.col(j).cwiseAbs().maxCoeff()));
  }
  for (Index pool = 0; pool < 3; ++pool) {
    const float expected = seen.middleCols(32 * pool, 32).colwise().mean().cwiseAbs().maxCoeff();
    EXPECT_NEAR(means.values[static_cast<std::size_t>(6 + pool)], static_cast<double>(expected),
                1e-6 * static_cast<double>(expected));
  }
  const MeanEnds ends = arrays.means(0, 0, Node::attention_input);
  EXPECT_EQ(ends.top.size(), 2U);  // 1 % of 3 x 64
  EXPECT_GE(ends.top[0].value, ends.top[1].value);
  EXPECT_LT(ends.bottom[0].value, ends.top[1].value);
}

// The share of the values in a bin over its width, so that all bins make what lies inside.
TEST_F(AnalysisArraysTest, HistogramsAreDensities) {
  const AnalysisArrays arrays(file(), result_);
  const Matrix seen = written_.activations(0, 1, Node::attention_output);
  const HistogramPlot::Outline outline = arrays.activations(0, 0, 1, Node::attention_output);
  ASSERT_EQ(outline.counts.size(), 201U);
  ASSERT_EQ(outline.edges.size(), 202U);
  EXPECT_DOUBLE_EQ(outline.edges.front(), -2.0);
  EXPECT_DOUBLE_EQ(outline.edges.back(), 2.0);
  const double inside = std::accumulate(outline.counts.begin(), outline.counts.end(), 0.0);
  const auto within = (seen.array().abs() <= 2.0F).count();
  EXPECT_LT(within, seen.size());
  EXPECT_NEAR(inside * 4.0 / 201.0, static_cast<double>(within) / static_cast<double>(seen.size()),
              1e-12);

  // Weights in units of their standard deviation, 0.25.
  const LinearFigures& linear = result_.models[0].blocks[1].linears[1];
  const HistogramPlot::Outline weights = arrays.weights(0, 1, linear);
  EXPECT_DOUBLE_EQ(weights.edges.back(), 2.0);
  EXPECT_NEAR(std::accumulate(weights.counts.begin(), weights.counts.end(), 0.0) * 4.0 / 201.0, 1.0,
              1e-12);
}

TEST_F(AnalysisArraysTest, WideMapsArePooled) {
  support::WrittenAnalysis wide;
  wide.channels = 1030;
  wide.write(folder_.path());
  const AnalysisArrays arrays(file(), wide.result());
  const HeatMap map = arrays.magnitudes(0, 0, Node::attention_input);
  EXPECT_EQ(map.column_width, 3U);
  EXPECT_EQ(map.columns, 344U);
  EXPECT_EQ(
      map.values[344 + 1],
      static_cast<double>(
          wide.activations(0, 1, Node::attention_input).middleCols(3, 3).cwiseAbs().maxCoeff()));
}

TEST_F(AnalysisArraysTest, RefuseAnotherAnalysis) {
  support::WrittenAnalysis other = written_;
  other.sets[1] = "x\n";
  support::expect_error<InputError>([&] { AnalysisArrays(file(), other.result()); }, file(),
                                    {"'/models/0/sets/1'", "'second'", "analyze again"});
  other = written_;
  other.models.emplace_back("more");
  support::expect_error<InputError>([&] { AnalysisArrays(file(), other.result()); }, file(),
                                    {"/models/1", "is missing"});
  other = written_;
  other.blocks = 4;
  support::expect_error<InputError>([&] { AnalysisArrays(file(), other.result()); }, file(),
                                    {"'/models/0'", "expected 4 blocks"});
}

TEST_F(AnalysisArraysTest, RefuseWhatIsAbsentOrDoesNotFit) {
  Hdf5Writer writer(file());
  writer.attribute("/", "pooling", std::int64_t{32});
  for (const std::string& path :
       {analysis_path::model(0), analysis_path::set(0, 0), analysis_path::set(0, 1)}) {
    writer.group(path);
  }
  writer.attribute(analysis_path::model(0), "label", std::string_view("model"));
  writer.attribute(analysis_path::model(0), "blocks", std::int64_t{3});
  writer.attribute(analysis_path::set(0, 0), "label", std::string_view("first"));
  writer.attribute(analysis_path::set(0, 1), "label", std::string_view("second"));
  const std::string node = analysis_path::node(0, 0, 0, Node::attention_output);
  const std::vector<float> one{1.0F};
  const std::vector<float> two{1.0F, 2.0F};
  writer.dataset(node + "/min", std::span<const float>(two));
  writer.dataset(node + "/max", std::span<const float>(one));
  writer.dataset(node + "/histogram", std::span<const float>(two));
  writer.commit();
  const AnalysisArrays arrays(file(), result_);
  support::expect_error<InputError>([&] { arrays.ranges(0, 0, 0, Node::attention_output); }, file(),
                                    {node + "/max'", "expected 2 values", "got 1"});
  support::expect_error<InputError>([&] { arrays.activations(0, 0, 0, Node::attention_output); },
                                    file(), {node, "expected a positive 'histogram_range'"});
  support::expect_error<InputError>([&] { arrays.ranges(0, 0, 1, Node::attention_output); }, file(),
                                    {"is missing"});
}

}  // namespace
}  // namespace evenkeel
