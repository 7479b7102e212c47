#include "calib/side_by_side.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/scratch_folder.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

BlockOptions options_of(Method method, Propagate propagate, const char* scheme) {
  BlockOptions options;
  options.transform.method = method;
  options.transform.search_samples = method == Method::os_plus ? 3 : 2;
  options.scheme = *scheme_named(scheme);
  options.scheme.propagate = propagate;
  options.batch = 2;
  options.keep = false;
  return options;
}

std::vector<EvaluationText> texts_of(const TinyStream& tiny) {
  return {{"text", without_types(tiny.windows())}};
}

TEST(SideBySide, GivesWhatEachAloneGives) {
  const TinyStream tiny;
  const support::ScratchFolder folder;
  const auto samples = without_types(tiny.windows());
  const auto texts = texts_of(tiny);
  std::vector<BlockOptions> options;
  for (const Method method : {Method::none, Method::smoothquant, Method::os_plus, Method::awq}) {
    for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
      options.push_back(options_of(method, propagate, method == Method::awq ? "w4a16" : "w4a4"));
    }
  }
  Progress silent;
  // All in memory, and with nothing but the file.
  for (const std::uint64_t memory : {default_memory_limit, std::uint64_t{1}}) {
    const auto together = calibrate_side_by_side(tiny.model(), samples, options, texts, silent,
                                                 memory, folder.path());
    ASSERT_EQ(together.size(), options.size());
    for (std::size_t i = 0; i < options.size(); ++i) {
      Stopwatch stopwatch;
      const CalibrationOutcome alone =
          calibrate_model(tiny.model(), samples, options[i], texts, nullptr, silent, stopwatch);
      const CalibrationOutcome& outcome = together[i].outcome;
      EXPECT_EQ(together[i].failure, "");
      ASSERT_EQ(outcome.scores.size(), 1U);
      EXPECT_EQ(outcome.scores[0].value, alone.scores[0].value) << i;
      EXPECT_EQ(outcome.scores[0].terms, alone.scores[0].terms) << i;
      ASSERT_EQ(outcome.sites.size(), alone.sites.size());
      for (std::size_t site = 0; site < alone.sites.size(); ++site) {
        EXPECT_EQ(outcome.sites[site].name, alone.sites[site].name);
        EXPECT_EQ(outcome.sites[site].threshold, alone.sites[site].threshold);
        EXPECT_EQ(outcome.sites[site].loss_after, alone.sites[site].loss_after);
      }
    }
  }
}

TEST(SideBySide, WhatOverflowsFailsWithoutAnException) {
  support::TinyOpt tiny_options;
  tiny_options.change = [](const std::string& name, std::vector<float>& values) {
    if (name == "model.decoder.layers.1.final_layer_norm.weight") values.assign(16, 3e38F);
  };
  const TinyStream tiny(5, 12, tiny_options);
  const support::ScratchFolder folder;
  Progress silent;
  const auto results =
      calibrate_side_by_side(tiny.model(), without_types(tiny.windows()),
                             {options_of(Method::none, Propagate::quantized, "w8a8"),
                              options_of(Method::none, Propagate::quantized, "w4a4")},
                             texts_of(tiny), silent, default_memory_limit, folder.path());
  ASSERT_EQ(results.size(), 2U);
  for (const SideBySideResult& result : results) {
    EXPECT_NE(result.failure.find("block 1: "), std::string::npos) << result.failure;
    EXPECT_TRUE(result.outcome.scores.empty());
  }
}

TEST(SideBySide, TheLimitOfMemorySaysHowMany) {
  const TinyStream tiny;
  const auto samples = without_types(tiny.windows());
  EXPECT_EQ(calibrations_at_once(tiny.model(), samples, {}, 1), 1U);
  const std::size_t some = calibrations_at_once(tiny.model(), samples, {}, 1U << 20U);
  EXPECT_GT(some, 1U);
  EXPECT_LT(calibrations_at_once(tiny.model(), samples, texts_of(tiny), 1U << 20U), some);
  EXPECT_GE(calibrations_at_once(tiny.model(), samples, {}, 1U << 21U), 2 * some);
}

}  // namespace
}  // namespace evenkeel
