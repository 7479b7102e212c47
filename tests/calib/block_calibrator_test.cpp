#include "calib/block_calibrator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/fold_check.h"
#include "calib/node_ranges.h"
#include "io/errors.h"
#include "model/stored_linears.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

BlockOptions options_of(Method method, int bits = 4) {
  BlockOptions options;
  options.transform.method = method;
  options.transform.search_samples = 2;
  options.scheme.weights.bits = bits;
  options.scheme.activations.bits = bits;
  options.batch = 2;
  return options;
}

BlockResult calibrate(const TinyStream& tiny, const BlockOptions& options) {
  Stopwatch stopwatch;
  return calibrate_block(tiny.architecture(), tiny.block(), tiny.stream(), options, stopwatch);
}

void expect_same(const Block& a, const Block& b) {
  for (const NormRole role : all_norms) {
    EXPECT_EQ(a.norm(role).gain, b.norm(role).gain);
    EXPECT_EQ(a.norm(role).bias, b.norm(role).bias);
  }
  for (std::size_t role = 0; role < linear_count; ++role) {
    ASSERT_EQ(a.linears[role].size(), b.linears[role].size());
    for (std::size_t i = 0; i < a.linears[role].size(); ++i) {
      EXPECT_EQ(a.linears[role][i].weight, b.linears[role][i].weight);
      EXPECT_EQ(a.linears[role][i].bias, b.linears[role][i].bias);
    }
  }
}

void expect_same(const NodeQuantizers& a, const NodeQuantizers& b) {
  for (const Node node : all_nodes) {
    EXPECT_EQ(a[index_of(node)]->ranges(), b[index_of(node)]->ranges()) << name_of(node);
  }
}

// Extrema by channel of the site's input over the search samples, after the fold.
struct Extrema {
  Vector low, high;
};
Extrema folded_input(const TinyStream& tiny, const BlockResult& result, const Site& site,
                     const BlockOptions& options) {
  const auto count = static_cast<std::size_t>(options.transform.search_samples);
  const bool quantized = options.scheme.propagate == Propagate::quantized;
  const Block& block = quantized ? result.quantized : result.folded;
  NodeQuantizers known;
  if (quantized) {
    known = observe_ranges(tiny.architecture(), block, tiny.stream(), count, options.batch,
                           options.scheme, site.input);
  }
  const auto captured = tiny.stream().capture(tiny.architecture(), block, known, site.input, count);
  Extrema extrema{captured.front().colwise().minCoeff(), captured.front().colwise().maxCoeff()};
  for (const Matrix& values : captured) {
    extrema.low = extrema.low.cwiseMin(values.colwise().minCoeff());
    extrema.high = extrema.high.cwiseMax(values.colwise().maxCoeff());
  }
  return extrema;
}

TEST(BlockCalibratorTest, NoneQuantizesAndFoldsNothing) {
  const TinyStream tiny;
  const BlockOptions options = options_of(Method::none);
  const BlockResult result = calibrate(tiny, options);
  expect_same(result.folded, tiny.block());
  EXPECT_TRUE(result.sites.empty());
  Block quantized = tiny.block();
  const std::vector<StoredLinear> stored = stored_linears(tiny.architecture(), 0);
  ASSERT_EQ(result.codes.size(), stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const LinearPlace place = stored[i].parts.front().place;
    EXPECT_EQ(dequantize_weight(result.codes[i]), result.quantized.linear(place).weight);
    fake_quantize_weight(quantized.linear(place).weight, options.scheme.weights);
    give_codes(split_codes(stored[i], result.codes[i]), quantized);
  }
  expect_same(result.quantized, quantized);
  expect_same(result.quantizers,
              observe_ranges(tiny.architecture(), quantized, tiny.stream(), 5, 2, options.scheme));
}

TEST(BlockCalibratorTest, OsPlusCentresAndClipsWhatItsSearchSees) {
  const TinyStream tiny;
  for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
    BlockOptions options = options_of(Method::os_plus);
    options.scheme.propagate = propagate;
    const BlockResult result = calibrate(tiny, options);
    ASSERT_EQ(result.sites.size(), 2U);
    for (const auto& [site, found] : result.sites) {
      const Extrema extrema = folded_input(tiny, result, site, options);
      const auto threshold = static_cast<float>(found.threshold);
      for (Index channel = 0; channel < extrema.low.size(); ++channel) {
        // Shifting rounds what was as large as the outlier (9 + 1.2) a few times.
        const float rounding = 16.0F * 0x1p-24F * 16.0F;
        EXPECT_NEAR(extrema.high(channel), -extrema.low(channel), rounding)
            << site.name << ' ' << channel << ' ' << name_of(propagate);
        EXPECT_LE(extrema.high(channel), threshold + rounding);
        EXPECT_GE(found.transform.scale(channel), 1.0F);
      }
      EXPECT_GT(found.transform.shift.cwiseAbs().maxCoeff(), 5.0F);  // the outlier of 9
    }
  }
}

TEST(BlockCalibratorTest, TheThresholdHasTheLeastLoss) {
  const TinyStream tiny;
  for (const Search search : {Search::exact, Search::exhaustive}) {
    BlockOptions options = options_of(Method::os_plus);
    options.transform.search = search;
    const BlockResult result = calibrate(tiny, options);
    for (const auto& [site, found] : result.sites) {
      ASSERT_EQ(found.thresholds.size(), found.losses.size());
      std::size_t best = found.losses.size();
      for (std::size_t i = 0; i < found.losses.size(); ++i) {
        EXPECT_TRUE(search == Search::exact || !std::isnan(found.losses[i]));
        if (std::isnan(found.losses[i])) continue;
        if (best == found.losses.size() || found.losses[i] < found.losses[best]) best = i;
      }
      ASSERT_LT(best, found.losses.size());
      EXPECT_EQ(found.threshold, found.thresholds[best]);
      EXPECT_EQ(found.loss_after, found.losses[best]);
      EXPECT_LT(found.loss_after, found.loss_before) << site.name;
    }
  }
}

TEST(BlockCalibratorTest, TheFoldedBlockIsTheSameFunction) {
  const TinyStream tiny;
  for (const Method method : {Method::os_plus, Method::smoothquant}) {
    const BlockResult result = calibrate(tiny, options_of(method));
    EXPECT_NE(result.folded.norm(NormRole::mlp_input).gain,
              tiny.block().norm(NormRole::mlp_input).gain);
    TinyStream before(5, 12);
    TinyStream after(5, 12);
    before.stream().advance(tiny.architecture(), tiny.block(), {});
    after.stream().advance(tiny.architecture(), result.folded, {});
    for (std::size_t i = 0; i < before.stream().size(); ++i) {
      const Matrix change = before.stream().at(i) - tiny.stream().at(i);
      const Matrix difference = before.stream().at(i) - after.stream().at(i);
      EXPECT_LE(difference.cwiseAbs().maxCoeff(),
                static_cast<float>(block_tolerance) * change.cwiseAbs().maxCoeff());
    }
  }
}

TEST(BlockCalibratorTest, SmoothQuantReadsEverySampleAndEveryReader) {
  const TinyStream tiny;
  BlockOptions options = options_of(Method::smoothquant);
  options.transform.alpha = 0.25;
  const BlockResult result = calibrate(tiny, options);
  const Block block = tiny.block();
  const auto statistics = tiny.stream().observe(tiny.architecture(), block);
  ASSERT_EQ(result.sites.size(), 2U);
  for (const auto& [site, found] : result.sites) {
    const Vector absmax = statistics[index_of(site.input)].absmax();
    for (Index channel = 0; channel < absmax.size(); ++channel) {
      double weight = 0.0;
      for (const LinearPlace role : site.readers) {
        const auto column = block.linear(role).weight.col(channel);
        weight = std::max(weight, static_cast<double>(column.cwiseAbs().maxCoeff()));
      }
      const double expected =
          std::pow(static_cast<double>(absmax(channel)), 0.25) / std::pow(weight, 0.75);
      EXPECT_NEAR(found.transform.scale(channel), expected, 1e-5 * expected) << site.name;
    }
    EXPECT_EQ(found.transform.shift, Vector::Zero(absmax.size()));
  }
}

TEST(BlockCalibratorTest, KeepingChangesNothing) {
  const TinyStream tiny;
  for (const Method method : {Method::none, Method::smoothquant, Method::os_plus}) {
    BlockOptions options = options_of(method);
    const BlockResult kept = calibrate(tiny, options);
    options.keep = false;
    const BlockResult result = calibrate(tiny, options);
    expect_same(result.quantized, kept.quantized);
    expect_same(result.folded, kept.folded);
    expect_same(result.quantizers, kept.quantizers);
    ASSERT_EQ(result.sites.size(), kept.sites.size());
    for (std::size_t i = 0; i < kept.sites.size(); ++i) {
      EXPECT_EQ(result.sites[i].found.loss_before, kept.sites[i].found.loss_before);
      EXPECT_EQ(result.sites[i].found.loss_after, kept.sites[i].found.loss_after);
      EXPECT_EQ(result.sites[i].found.threshold, kept.sites[i].found.threshold);
    }
    EXPECT_TRUE(result.codes.empty());
    EXPECT_FALSE(kept.statistics.back().empty());
    EXPECT_TRUE(result.statistics.back().empty());
  }
}

TEST(BlockCalibratorTest, TheSearchSeesItsSamplesAlone) {
  TinyStream tiny;
  TinyStream other;
  for (std::size_t i = 2; i < other.stream().size(); ++i) {
    other.stream().change(i, [](Matrix& state) { state *= 3.0F; });
  }
  const BlockOptions options = options_of(Method::os_plus);
  const BlockResult result = calibrate(tiny, options);
  const BlockResult changed = calibrate(other, options);
  for (std::size_t i = 0; i < result.sites.size(); ++i) {
    EXPECT_EQ(result.sites[i].found.transform.shift, changed.sites[i].found.transform.shift);
    EXPECT_EQ(result.sites[i].found.transform.scale, changed.sites[i].found.transform.scale);
    EXPECT_EQ(result.sites[i].found.loss_before, changed.sites[i].found.loss_before);
  }
  const auto hidden = index_of(Node::mlp_hidden);
  EXPECT_NE(result.quantizers[hidden]->ranges(), changed.quantizers[hidden]->ranges());
  // More search samples than there are windows: all of them.
  BlockOptions all = options;
  all.transform.search_samples = 100;
  EXPECT_EQ(calibrate(tiny, all).sites.size(), 2U);
}

TEST(BlockCalibratorTest, FinalRangesAreOverEverySampleOfWhatIsPropagated) {
  const TinyStream tiny;
  for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
    BlockOptions options = options_of(Method::os_plus, 3);
    options.scheme.propagate = propagate;
    const BlockResult result = calibrate(tiny, options);
    const auto ranges = [&](const Block& block) {
      return observe_ranges(tiny.architecture(), block, tiny.stream(), tiny.stream().size(),
                            options.batch, options.scheme);
    };
    const bool quantized = propagate == Propagate::quantized;
    expect_same(result.quantizers, ranges(quantized ? result.quantized : result.folded));
    EXPECT_NE(ranges(result.quantized)[index_of(Node::mlp_hidden)]->ranges(),
              ranges(result.folded)[index_of(Node::mlp_hidden)]->ranges());
  }
}

TEST(BlockCalibratorTest, AdvancesAsTheSchemeSays) {
  for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
    TinyStream tiny;
    TinyStream expected;
    BlockOptions options = options_of(Method::os_plus);
    options.scheme.propagate = propagate;
    const BlockResult result = calibrate(tiny, options);
    EXPECT_EQ(tiny.stream().at(0), expected.stream().at(0));  // calibrating moves nothing
    if (propagate == Propagate::quantized) {
      expected.stream().advance(tiny.architecture(), result.quantized, result.quantizers);
    } else {
      expected.stream().advance(tiny.architecture(), tiny.block(), {});
    }
    advance_past(tiny.model(), 0, result, options.scheme, tiny.stream());
    for (std::size_t i = 0; i < tiny.stream().size(); ++i) {
      EXPECT_EQ(tiny.stream().at(i), expected.stream().at(i));
    }
  }
}

TEST(BlockCalibratorTest, NotFiniteActivationsAreAnError) {
  TinyStream tiny;
  tiny.stream().change(4, [](Matrix& state) {  // not a search sample
    state(3, 5) = std::numeric_limits<float>::infinity();
  });
  for (const Method method : {Method::none, Method::smoothquant, Method::os_plus}) {
    for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_token}) {
      BlockOptions options = options_of(method);
      options.scheme.activations.granularity = granularity;
      try {
        calibrate(tiny, options);
        ADD_FAILURE() << "no error: " << name_of(method) << ", " << name_of(granularity);
      } catch (const InputError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("attention.input: ")) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace evenkeel
