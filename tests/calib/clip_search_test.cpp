#include "calib/clip_search.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "calib/block_calibrator.h"
#include "calib/node_ranges.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

Scheme searched(int bits) {
  Scheme scheme;
  scheme.activations.bits = bits;
  scheme.activations.range = RangeEstimator::token_wise_clipping;
  return scheme;
}

Matrix output(const TinyStream& tiny, const NodeQuantizers& quantizers, std::size_t window) {
  QuantizingTap tap(quantizers);
  Matrix hidden = tiny.stream().at(window);
  Workspace workspace;
  forward(tiny.architecture(), tiny.block(), hidden, {}, tap, workspace);
  return hidden;
}

double plain_error(const TinyStream& tiny, Scheme scheme, double clip, std::size_t count) {
  scheme.propagate = Propagate::full_precision;
  scheme.activations.clip = clip;
  const NodeQuantizers quantizers =
      observe_ranges(tiny.architecture(), tiny.block(), tiny.stream(), count, 2, scheme);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += (output(tiny, quantizers, i).cast<double>() - output(tiny, {}, i).cast<double>())
               .squaredNorm();
  }
  return sum;
}

TEST(ClipSearch, FindsTheFirstOfLeastError) {
  const TinyStream tiny(3, 12);
  for (const auto& [bits, count] : {std::pair{8, 20}, std::pair{6, 60}, std::pair{4, 180}}) {
    const Scheme scheme = searched(bits);
    double best = 0.0;
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < count; ++i) {
      const double error = plain_error(tiny, scheme, 0.005 * i, 3);
      if (error < least) best = 0.005 * i;
      least = std::min(least, error);
    }
    EXPECT_EQ(
        search_clip(tiny.architecture(), tiny.block(), tiny.block(), tiny.stream(), 3, 2, scheme),
        best)
        << bits;
  }
}

// Finite ranges, and an output that is not: no error is less than another.
TEST(ClipSearch, RefusesABlockWhoseOutputIsNotFinite) {
  const TinyStream tiny(3, 12);
  Block broken = tiny.block();
  broken.linear(LinearRole::down).weight(0, 0) = std::numeric_limits<float>::quiet_NaN();
  support::expect_error<InputError>(
      [&] {
        search_clip(tiny.architecture(), tiny.block(), broken, tiny.stream(), 3, 2, searched(8));
      },
      "clip", {"finite"});
}

TEST(ClipSearch, IsOfStaticNodesWithoutAClip) {
  Scheme scheme = searched(8);
  EXPECT_TRUE(searches_clip(scheme, 0));
  EXPECT_EQ(with_clip(scheme, 0.015).activations.clip, 0.015);
  scheme.activations.clip = 0.005;
  EXPECT_FALSE(searches_clip(scheme, 0));
  EXPECT_EQ(with_clip(scheme, 0.015).activations.clip, 0.005);
  EXPECT_FALSE(searches_clip(Scheme{}, 0));
  scheme.nodes = {{"blocks.1.mlp.input", searched(4).activations}};
  EXPECT_FALSE(searches_clip(scheme, 0));
  EXPECT_TRUE(searches_clip(scheme, 1));
}

TEST(ClipSearch, HoldsForTheBlockThatIsCalibrated) {
  const TinyStream tiny(3, 12);
  for (const Method method : {Method::none, Method::os_plus}) {
    BlockOptions options;
    options.scheme = searched(4);
    options.transform.method = method;
    Stopwatch stopwatch;
    const BlockResult result =
        calibrate_block(tiny.architecture(), tiny.block(), tiny.stream(), options, stopwatch);
    ASSERT_TRUE(result.clip);
    const auto expected = observe_ranges(tiny.architecture(), result.quantized, tiny.stream(), 3,
                                         options.batch, with_clip(options.scheme, *result.clip));
    for (const Node node : all_nodes) {
      EXPECT_EQ(result.quantizers[index_of(node)]->ranges(), expected[index_of(node)]->ranges());
    }
  }
}

}  // namespace
}  // namespace evenkeel
