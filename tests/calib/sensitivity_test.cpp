#include "calib/sensitivity.h"

#include <algorithm>
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
constexpr const char* text = "evaluation.safetensors";

class SensitivityTest : public testing::Test {
 protected:
  // Ranges found anew each time, weights each for itself: what is left out changes nothing else.
  const std::vector<std::string> independent_{
      "transform={method: none}", "scheme.activations={bits: 4, granularity: per_token}",
      "scheme.weights={bits: 4}"};

  SensitivityResult measure(std::vector<std::string> settings) const {
    Progress silent;
    return measure_sensitivity(tiny_.job(settings), silent);
  }
  Json figures_of_run(std::vector<std::string> settings, const std::string& keep = "") const {
    if (!keep.empty()) settings.push_back("scheme.keep=" + keep);
    settings.push_back("output=" + (tiny_ / "alone").string());
    Progress silent;
    return run_job(tiny_.job(settings), silent).at("perplexity").at(text);
  }

  support::TinyJob tiny_;
};

TEST_F(SensitivityTest, WithoutAPartIsARunThatKeepsIt) {
  const SensitivityResult result = measure(independent_);
  const Json run = figures_of_run(independent_);
  EXPECT_EQ(result.full_precision.scores.at(0).value, run.at("full_precision").get<double>());
  EXPECT_EQ(result.full_precision.output_error, 0.0);
  EXPECT_EQ(result.quantized.scores.at(0).value, run.at("quantized").get<double>());
  EXPECT_GT(result.quantized.output_error, 0.0);
  ASSERT_FALSE(result.parts.empty());
  for (const PartSensitivity& part : result.parts) {
    std::string keep;
    for (const std::string& pattern : part.part.patterns) {
      keep += (keep.empty() ? "[\"" : ", \"") + pattern + "\"";
    }
    EXPECT_EQ(part.without.scores.at(0).value,
              figures_of_run(independent_, keep + "]").at("quantized").get<double>())
        << part.part.name;
  }
}

TEST_F(SensitivityTest, PartsAloneAddNothingElse) {
  // Of one block, alone is the whole of what is quantized when every other block is kept.
  const SensitivityResult result = measure(independent_);
  const auto block = std::ranges::find_if(
      result.parts, [](const auto& part) { return part.part.name == "blocks.0"; });
  ASSERT_NE(block, result.parts.end());
  EXPECT_EQ(block->alone.scores.at(0).value,
            figures_of_run(independent_, "[blocks.1]").at("quantized").get<double>());
}

TEST_F(SensitivityTest, WhatRecoversMostComesFirst) {
  const SensitivityResult result = measure({"scheme=w4a4"});
  for (std::size_t i = 0; i + 1 < result.parts.size(); ++i) {
    const PartSensitivity& part = result.parts[i];
    const PartSensitivity& next = result.parts[i + 1];
    EXPECT_LE(part.part.kind, next.part.kind);
    if (part.part.kind == next.part.kind) {
      EXPECT_GE(part.recovered, next.recovered);
    }
    const double lost = result.quantized.scores[0].value - result.full_precision.scores[0].value;
    EXPECT_EQ(part.recovered,
              (result.quantized.scores[0].value - part.without.scores[0].value) / lost);
  }
}

TEST_F(SensitivityTest, FileHoldsWhatIsReturned) {
  const SensitivityResult result = measure({"scheme=w8a8"});
  const Json json = Json::parse(support::read_bytes(tiny_.output() / "sensitivity.json"));
  EXPECT_EQ(json, to_json(result));
  EXPECT_EQ(json.at("quantized").at("perplexity").at(text), result.quantized.scores[0].value);
  EXPECT_EQ(json.at("parts").size(), result.parts.size());
}

TEST_F(SensitivityTest, MemoryLimitChangesNoFigure) {
  const Json expected = to_json(measure({}));
  // The samples alone, the samples and some of the models' windows, nothing.
  for (const std::string limit : {"6 KiB", "40 KiB", "1 B"}) {
    EXPECT_EQ(to_json(measure({"memory_limit=" + limit})), expected) << limit;
  }
}

TEST_F(SensitivityTest, RefusesBeforeAnyWork) {
  support::expect_error<UsageError>([&] { measure({"scheme.keep=[nothing]"}); },
                                    tiny_.file().string(), {"scheme.keep", "names nothing"});
  EXPECT_FALSE(std::filesystem::exists(tiny_.output()));
}

}  // namespace
}  // namespace evenkeel
