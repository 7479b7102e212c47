#include "calib/block_part.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

BlockPart some_part(const Scheme& scheme = {}) {
  support::TinyStream tiny;
  BlockOptions options;
  options.transform.search_samples = 2;
  options.scheme = scheme;
  Stopwatch stopwatch;
  const BlockResult result =
      calibrate_block(tiny.architecture(), tiny.block(), tiny.stream(), options, stopwatch);
  BlockPart part{.record = record_of(result),
                 .folded = {{"a.weight", "0123456789abcdef"}},
                 .quantized = {{"a.weight", "fedcba9876543210"}, {"a.weight_scale", "0"}},
                 .seconds = {1.0, 2.0, 3.0, 4.0, 5.5}};
  part.record.clip = 0.25;
  part.record.untouched_sites = {"experts.3.down"};
  part.record.without_tokens = {"model.experts.3.w1", "a \"name\""};
  return part;
}

void expect_same(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i])));
  }
}

void expect_same(const BlockPart& actual, const BlockPart& expected) {
  const BlockRecord& a = actual.record;
  const BlockRecord& b = expected.record;
  ASSERT_EQ(a.sites.size(), b.sites.size());
  for (std::size_t i = 0; i < b.sites.size(); ++i) {
    EXPECT_EQ(a.sites[i].name, b.sites[i].name);
    const SiteTransform& found = a.sites[i].found;
    const SiteTransform& wanted = b.sites[i].found;
    EXPECT_EQ(found.transform.shift, wanted.transform.shift);
    EXPECT_EQ(found.transform.scale, wanted.transform.scale);
    expect_same(found.thresholds, wanted.thresholds);
    expect_same(found.losses, wanted.losses);
    EXPECT_EQ(found.threshold, wanted.threshold);
    EXPECT_EQ(found.loss_before, wanted.loss_before);
    EXPECT_EQ(found.loss_after, wanted.loss_after);
  }
  for (std::size_t i = 0; i < node_count; ++i) {
    EXPECT_EQ(a.nodes[i].low, b.nodes[i].low);
    EXPECT_EQ(a.nodes[i].high, b.nodes[i].high);
    EXPECT_EQ(a.nodes[i].absmax, b.nodes[i].absmax);
    EXPECT_EQ(a.nodes[i].mean, b.nodes[i].mean);
    EXPECT_EQ(a.nodes[i].variance, b.nodes[i].variance);
    EXPECT_EQ(a.nodes[i].ranges, b.nodes[i].ranges);
  }
  EXPECT_EQ(a.clip, b.clip);
  EXPECT_EQ(a.untouched_sites, b.untouched_sites);
  EXPECT_EQ(a.without_tokens, b.without_tokens);
  EXPECT_EQ(a.choices, b.choices);
  EXPECT_EQ(actual.folded, expected.folded);
  EXPECT_EQ(actual.quantized, expected.quantized);
  EXPECT_EQ(actual.seconds, expected.seconds);
}

TEST(BlockPartTest, ComesBackAsItWas) {
  for (const Granularity granularity :
       {Granularity::per_tensor, Granularity::per_channel, Granularity::per_token}) {
    const support::ScratchFolder scratch;
    const BlockParts parts(scratch / "blocks");
    Scheme scheme;
    scheme.activations.granularity = granularity;
    BlockPart part = some_part(scheme);
    ASSERT_FALSE(part.record.sites.empty());
    part.record.sites[0].found.losses.at(3) = std::numeric_limits<double>::quiet_NaN();
    parts.write(7, part);
    EXPECT_TRUE(parts.has(7));
    EXPECT_FALSE(parts.has(0));
    expect_same(parts.at(7), part);
    part.record.sites.clear();
    part.record.clip.reset();
    parts.write(7, part);
    expect_same(parts.at(7), part);
  }
}

TEST(BlockPartTest, DamagedIsNothing) {
  const support::ScratchFolder scratch;
  const BlockParts parts(scratch / "blocks");
  EXPECT_FALSE(parts.read(0));
  support::expect_error<MachineError>([&] { parts.at(0); }, scratch / "blocks/0.safetensors",
                                      {"run it again"});
  parts.write(0, some_part());
  const auto path = scratch / "blocks/0.safetensors";
  const std::string bytes = support::read_bytes(path);
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 64) {
    support::write_bytes(path, bytes.substr(0, i));
    EXPECT_FALSE(parts.read(0)) << i;
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 0x10);
    support::write_bytes(path, other);
    // A letter of the header's own words, or white space between them, may differ unnoticed only
    // where nothing else follows from it.
    if (const auto part = parts.read(0)) expect_same(*part, some_part());
  }
}

TEST(BlockPartTest, RemovesFromABlockOn) {
  const support::ScratchFolder scratch;
  const BlockParts parts(scratch / "blocks");
  const BlockPart part = some_part();
  for (Index number = 0; number < 4; ++number) parts.write(number, part);
  parts.remove_from(2, 6);
  EXPECT_TRUE(parts.has(1));
  EXPECT_FALSE(parts.has(2));
  EXPECT_FALSE(parts.has(3));
}

}  // namespace
}  // namespace evenkeel
