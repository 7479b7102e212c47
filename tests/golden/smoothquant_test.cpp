// SmoothQuant's scales against the published program, over its own 32 samples of 512 tokens.
#include "transforms/smoothquant.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/calibration.h"
#include "io/checkpoint.h"
#include "support/shared_files.h"
#include "support/stored_values.h"

namespace evenkeel {
namespace {

// Compares every block as it comes out of the calibration.
class ScaleCheck final : public BlockSink {
 public:
  ScaleCheck(const SafetensorsFile& golden, const Architecture& architecture)
      : golden_(golden), architecture_(architecture) {}

  void take(Index number, const BlockResult& result) override {
    for (const SiteResult& site : result.sites) {
      const std::string name = architecture_.norm_name(number, *site.site.norm);
      SCOPED_TRACE(name);
      const auto expected = support::doubles_of(golden_.at("s." + name + ".weight"));
      const Vector& scale = site.found.transform.scale;
      ASSERT_EQ(expected.size(), static_cast<std::size_t>(scale.size()));
      for (std::size_t j = 0; j < expected.size(); ++j) {
        ASSERT_NEAR(scale(static_cast<Index>(j)), expected[j], 1e-4 * expected[j]);
      }
      ASSERT_TRUE(site.found.transform.shift.isZero(0.0F));
      ++sites;
    }
  }
  int sites = 0;

 private:
  const SafetensorsFile& golden_;
  const Architecture& architecture_;
};

class SmoothQuantScales : public testing::TestWithParam<const char*> {};

TEST_P(SmoothQuantScales, AgreeWithThePublishedProgram) {
  const std::string model_folder = std::string("models/") + GetParam();
  const std::string golden_file =
      std::string("golden/smoothquant/") + GetParam() + ".alpha0.5.safetensors";
  EVENKEEL_NEEDS_SHARED(golden_file);
  EVENKEEL_NEEDS_SHARED(model_folder);
  const SafetensorsFile golden(support::shared_file(golden_file));
  const Checkpoint checkpoint(support::shared_file(model_folder));
  const LanguageModel model(checkpoint);
  const std::vector<Tokens> samples = support::token_rows_of(golden.at("input_ids"));
  BlockOptions options;
  options.transform.method = Method::smoothquant;
  options.transform.alpha = 0.5;
  options.transform.search_samples = 1;
  // The published program takes its maxima from the full-precision model.
  options.scheme.propagate = Propagate::full_precision;
  options.keep = false;
  ScaleCheck check(golden, model.architecture());
  Progress silent;
  Stopwatch stopwatch;
  calibrate_model(model, without_types(samples), options, {}, &check, silent, stopwatch);
  EXPECT_EQ(check.sites, 2 * model.architecture().blocks);
}

INSTANTIATE_TEST_SUITE_P(Models, SmoothQuantScales,
                         testing::Values("opt-3m-outlier", "llama-17m", "bloom-7m"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace evenkeel
