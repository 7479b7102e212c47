// Whole analyses of a tiny job; figures are held to NumPy by tests/golden/analysis_test.py.
#include "calib/analysis/analyze.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/analysis/analysis_record.h"
#include "io/errors.h"
#include "io/hdf5.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::string two_sets(const support::TinyJob& tiny) {
  return "compare.calibration=[{label: first, corpus: \"" +
         (tiny / "calibration.safetensors").string() + "\"}, {label: a/second, corpus: \"" +
         (tiny / "evaluation.safetensors").string() + "\", samples: 4}]";
}

class AnalyzeTest : public testing::Test {
 protected:
  AnalysisResult analyze(const std::vector<std::string>& settings = {}) const {
    Progress silent;
    return run_analysis(load_analysis(tiny_.file(), settings), silent);
  }

  support::TinyJob tiny_;
};

TEST_F(AnalyzeTest, TheJobsOwnCalibrationIsOneSet) {
  const AnalysisResult result = analyze();
  ASSERT_EQ(result.models.size(), 1U);
  const AnalyzedModel& model = result.models[0];
  EXPECT_EQ(model.label, "model");
  EXPECT_EQ(model.model_type, "opt");
  ASSERT_EQ(model.sets.size(), 1U);
  EXPECT_EQ(model.sets[0].label, "corpus: calibration.safetensors");
  EXPECT_EQ(model.sets[0].samples, 6U);
  EXPECT_EQ(model.sets[0].tokens, 96);
  EXPECT_EQ(model.sets[0].blocks.size(), 2U);
  EXPECT_EQ(model.blocks.size(), 2U);
  EXPECT_TRUE(model.pairs.empty());
}

TEST_F(AnalyzeTest, SetsSideBySideAreAsAlone) {
  const AnalysisResult both = analyze({two_sets(tiny_)});
  ASSERT_EQ(both.models[0].sets.size(), 2U);
  ASSERT_EQ(both.models[0].pairs.size(), 1U);
  const AnalysisResult alone =
      analyze({"calibration.corpus=" + (tiny_ / "evaluation.safetensors").string(),
               "calibration.samples=4"});
  const Json second = to_json(both)["models"][0]["sets"][1];
  Json expected = to_json(alone)["models"][0]["sets"][0];
  expected["label"] = "a/second";
  EXPECT_EQ(second, expected);
}

TEST_F(AnalyzeTest, FilesHoldWhatIsReturned) {
  const AnalysisResult result = analyze({two_sets(tiny_)});
  EXPECT_EQ(Json::parse(support::read_bytes(tiny_.output() / "analysis.json")), to_json(result));
  const Hdf5Reader file(tiny_.output() / "analysis.h5");
  EXPECT_EQ(file.members("/models/0/sets"), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(file.text_attribute(analysis_path::set(0, 1), "label"), "a/second");
  const std::string node = analysis_path::node(0, 1, 1, Node::mlp_hidden);
  const auto low = file.dataset(node + "/min");
  EXPECT_EQ(low.size(), 24U);
  EXPECT_EQ(*std::ranges::min_element(low),
            result.models[0].sets[1].blocks[1].nodes[index_of(Node::mlp_hidden)].low);
  EXPECT_EQ(file.number_attribute(analysis_path::linear(0, 1, "fc1"), "spectral_norm"),
            result.models[0].blocks[1].linears[4].spectral_norm);
  EXPECT_FALSE(file.exists(analysis_path::producers(0, 0, Node::attention_input)));
  EXPECT_EQ(file.dataset(analysis_path::producers(0, 1, Node::attention_input) + "/std").size(),
            16U);
}

TEST_F(AnalyzeTest, MemoryLimitChangesNoByte) {
  analyze({two_sets(tiny_)});
  const auto expected = support::read_bytes(tiny_.output() / "analysis.json");
  for (const std::string limit : {"6 KiB", "1 B"}) {
    analyze({two_sets(tiny_), "memory_limit=" + limit});
    EXPECT_EQ(support::read_bytes(tiny_.output() / "analysis.json"), expected) << limit;
  }
}

TEST_F(AnalyzeTest, FaultsOfTheLastSetComeBeforeAnyWork) {
  const std::string sets = "compare.calibration=[{samples: 2}, {samples: 1000}]";
  EXPECT_THROW(analyze({sets}), InputError);
  EXPECT_FALSE(std::filesystem::exists(tiny_.output()));
}

TEST(AnalyzeErrorsTest, ActivationsThatAreNotFiniteNameTheirPlace) {
  support::TinyOpt overflowing;
  overflowing.change = [](const std::string& name, std::vector<float>& values) {
    if (!name.ends_with("layers.1.fc1.weight")) return;
    // Rows of both signs: a ReLU makes zero of one of the infinities.
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = i / 16 % 2 == 0 ? 3e38F : -3e38F;
  };
  const support::TinyJob tiny(overflowing);
  support::expect_error<InputError>(
      [&] {
        Progress silent;
        run_analysis(load_analysis(tiny.file(), {two_sets(tiny)}), silent);
      },
      tiny / "model", {"block 1", "set 'first'", "mlp.hidden", "channel ", "NaN or infinite"});
  EXPECT_FALSE(std::filesystem::exists(tiny.output()));
}

}  // namespace
}  // namespace evenkeel
