#include "calib/summary.h"

#include <gtest/gtest.h>

#include "support/tiny_job.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

TEST(SummaryTest, SaysWhatTheJobAskedFor) {
  const support::TinyJob tiny;
  const Json json = to_json(tiny.job({"evaluate.windows=3", "memory_limit=1MiB"}));
  EXPECT_EQ(json.at("file"), "job.yaml");
  EXPECT_EQ(json.at("model"), (tiny / "model").string());
  EXPECT_EQ(json.at("output"), tiny.output().string());
  EXPECT_EQ(json.at("memory_limit"), 1 << 20);
  EXPECT_EQ(json.at("calibration"), (Json{{"corpus", (tiny / "calibration.safetensors").string()},
                                          {"order", "first"},
                                          {"samples", 6},
                                          {"sequence_length", 16},
                                          {"batch", 2},
                                          {"seed", 0}}));
  EXPECT_EQ(json.at("transform"),
            (Json{{"method", "os_plus"}, {"search", "exact"}, {"search_samples", 2}}));
  EXPECT_EQ(json.at("evaluate"), (Json{{"perplexity", {(tiny / "evaluation.safetensors").string()}},
                                       {"sequence_length", 16},
                                       {"windows", 3}}));
}

TEST(SummaryTest, SaysOnlyWhatTookEffect) {
  const support::TinyJob tiny;
  EXPECT_EQ(to_json(tiny.job({"transform={method: none}"})).at("transform"),
            (Json{{"method", "none"}}));
  EXPECT_EQ(to_json(tiny.job({"transform={method: smoothquant, alpha: search}"}))
                .at("transform")
                .at("alpha"),
            "search");
  const Json random = to_json(tiny.job({"calibration={random: ascii, samples: 2, seed: 4, "
                                        "sequence_length: 16}"}))
                          .at("calibration");
  EXPECT_EQ(random.at("random"), "ascii");
  EXPECT_EQ(random.at("seed"), 4);
  EXPECT_FALSE(random.contains("corpus"));
  EXPECT_FALSE(random.contains("order"));
}

TEST(SummaryTest, HoldsTheFigures) {
  const support::TinyJob tiny;
  const support::TinyStream stream(1, 4);
  const CalibrationOutcome outcome{
      .sites = {{.name = "blocks.0.mlp", .threshold = 2.5, .loss_before = 4.0, .loss_after = 3.0}},
      .scores = {{"a.txt", 21.5}, {"b.txt", 8.25}}};
  const Json json = summarize(tiny.job(), stream.model(), {{"a.txt", 20.0}, {"b.txt", 8.0}},
                              outcome, Stopwatch{});
  EXPECT_EQ(json.at("model"), "model");
  EXPECT_EQ(json.at("architecture"), "opt");
  EXPECT_EQ(json.at("parameters"), stream.model().checkpoint().parameters());
  EXPECT_EQ(json.at("perplexity"), Json::parse(R"({
      "a.txt": {"full_precision": 20.0, "quantized": 21.5},
      "b.txt": {"full_precision": 8.0, "quantized": 8.25}})"));
  EXPECT_EQ(json.at("sites"), Json::parse(R"([{"name": "blocks.0.mlp", "method": "os_plus",
      "threshold": 2.5, "loss_before": 4.0, "loss_after": 3.0}])"));
  EXPECT_EQ(json.at("seconds").size(), 5U);
  // At least what this test holds, at most a machine's.
  EXPECT_GT(json.at("peak_memory_bytes"), 1 << 20);
  EXPECT_LT(json.at("peak_memory_bytes"), std::uint64_t{1} << 40U);
}

}  // namespace
}  // namespace evenkeel
