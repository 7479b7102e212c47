#include "calib/calibration.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/evaluation_stream.h"
#include "io/errors.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

class Blocks final : public BlockSink {
 public:
  void take(Index number, const BlockResult& result) override {
    EXPECT_EQ(number, static_cast<Index>(results.size()));
    results.push_back(result);
  }
  std::vector<BlockResult> results;
};

BlockOptions small_options() {
  BlockOptions options;
  options.transform.search_samples = 2;
  options.scheme = *scheme_named("w6a6");
  options.batch = 2;
  return options;
}

// The same flow by hand: each block on what the ones before it give.
TEST(CalibrationTest, EachBlockSeesWhatTheSchemePropagates) {
  for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
    TinyStream tiny;
    BlockOptions options = small_options();
    options.scheme.propagate = propagate;
    const std::vector<EvaluationText> texts{{"a", {{tiny.windows().back()}}}};
    Blocks blocks;
    Progress silent;
    Stopwatch stopwatch;
    const auto outcome = calibrate_model(tiny.model(), without_types(tiny.windows()), options,
                                         texts, &blocks, silent, stopwatch);
    EvaluationStream evaluation(tiny.model(), texts);
    ASSERT_EQ(blocks.results.size(), 2U);
    std::size_t site = 0;
    for (Index number = 0; number < 2; ++number) {
      const BlockResult expected = calibrate_block(tiny.architecture(), tiny.block(number),
                                                   tiny.stream(), options, stopwatch);
      const BlockResult& actual = blocks.results[static_cast<std::size_t>(number)];
      ASSERT_EQ(actual.codes.size(), expected.codes.size());
      for (std::size_t i = 0; i < expected.codes.size(); ++i) {
        EXPECT_EQ(actual.codes[i].codes, expected.codes[i].codes);
      }
      for (const Node node : all_nodes) {
        EXPECT_EQ(actual.quantizers[index_of(node)]->ranges(),
                  expected.quantizers[index_of(node)]->ranges());
      }
      for (const auto& [where, found] : expected.sites) {
        const SiteSummary& summary = outcome.sites.at(site++);
        EXPECT_EQ(summary.name, "blocks." + std::to_string(number) + "." + std::string(where.name));
        EXPECT_EQ(summary.threshold, found.threshold);
        EXPECT_EQ(summary.loss_before, found.loss_before);
        EXPECT_EQ(summary.loss_after, found.loss_after);
      }
      advance_past(tiny.model(), number, expected, options.scheme, tiny.stream());
      // What is evaluated is quantized, whatever is propagated.
      evaluation.states().advance(tiny.architecture(), expected.quantized, expected.quantizers);
    }
    EXPECT_EQ(outcome.sites.size(), site);
    ASSERT_EQ(outcome.scores.size(), 1U);
    EXPECT_EQ(outcome.scores[0].value, evaluation.finish().at(0).value);
    for (const Phase phase : {Phase::observe, Phase::search, Phase::quantize, Phase::evaluate}) {
      EXPECT_GT(stopwatch.seconds(phase), 0.0);
    }
  }
}

TEST(CalibrationTest, ErrorsNameTheBlock) {
  support::TinyOpt tiny_options;
  tiny_options.change = [](const std::string& name, std::vector<float>& values) {
    if (name == "model.decoder.layers.1.final_layer_norm.weight") values.assign(16, 3e38F);
  };
  const TinyStream tiny(3, 8, tiny_options);
  Progress silent;
  Stopwatch stopwatch;
  try {
    calibrate_model(tiny.model(), without_types(tiny.windows()), small_options(), {}, nullptr,
                    silent, stopwatch);
    FAIL() << "no error";
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with(tiny.model().checkpoint().folder().string())) << message;
    EXPECT_NE(message.find(": block 1: mlp."), std::string::npos) << message;
  }
}

TEST(CalibrationTest, ProgressNamesTheBlocks) {
  class Steps final : public Progress {
   public:
    void step(std::string_view task, int done, int total, std::string_view detail) override {
      lines.push_back(std::string(task) + ' ' + std::to_string(done) + '/' + std::to_string(total) +
                      ' ' + std::string(detail));
    }
    std::vector<std::string> lines;
  } progress;
  const TinyStream tiny(2, 8);
  Stopwatch stopwatch;
  calibrate_model(tiny.model(), without_types(tiny.windows()), small_options(), {}, nullptr,
                  progress, stopwatch);
  EXPECT_EQ(progress.lines,
            (std::vector<std::string>{"calibrate 0/2 block 0", "calibrate 1/2 block 1",
                                      "calibrate 2/2 finish"}));
}

}  // namespace
}  // namespace evenkeel
