#include "calib/layout_notes.h"

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"

namespace evenkeel {
namespace {

using Notes = std::vector<std::string>;
using support::TinyFamily;

constexpr const char* no_place =
    " are quantized, and other readers leave them in full precision: the compressed-tensors layout "
    "has places for quantized linears and their inputs alone; static ranges are in calibration.h5";

Architecture architecture_of(const TinyFamily& family) {
  const support::ScratchFolder scratch;
  const Checkpoint checkpoint(support::write_tiny_family(scratch / "model", family));
  return resolve_architecture(checkpoint);
}

Notes notes_of(const TinyFamily& family, const Scheme& scheme) {
  return layout_notes(architecture_of(family), scheme);
}

Scheme alone(bool symmetric, int bits = 8) {
  Scheme scheme;
  scheme.weights = {.bits = bits, .granularity = Granularity::per_channel, .symmetric = symmetric};
  scheme.activations = {.bits = unquantized_bits};
  return scheme;
}

TEST(LayoutNotes, NoneWhereOthersReadEverything) {
  EXPECT_EQ(notes_of(support::tiny_llama(), alone(true)), Notes{});
  Scheme linears;
  linears.nodes = {{"attention.*", {.bits = unquantized_bits}}, {"*put", linears.activations}};
  EXPECT_EQ(notes_of(support::tiny_llama(), linears), Notes{});
}

TEST(LayoutNotes, NodesWithoutAPlace) {
  EXPECT_EQ(notes_of(support::tiny_llama(), Scheme{}),
            (Notes{"quantized/ does not say how attention.query, attention.key, attention.value, "
                   "attention.probabilities" +
                   std::string(no_place)}));
  // The input of a linear that is kept has none either.
  Scheme kept;
  kept.weights.symmetric = true;
  kept.keep = {"attention.*", "*.1.mlp.down_proj"};
  EXPECT_EQ(notes_of(support::tiny_llama(), kept),
            (Notes{"quantized/ does not say how mlp.hidden" + std::string(no_place)}));
}

TEST(LayoutNotes, NodesThatTheLayoutHasNoWordFor) {
  Scheme scheme = alone(true);
  scheme.nodes = {{"mlp.hidden", {.granularity = Granularity::per_channel}}};
  EXPECT_EQ(notes_of(support::tiny_llama(), scheme),
            (Notes{"quantized/ does not say how mlp.hidden are quantized, and other readers leave "
                   "them in full precision: the compressed-tensors layout cannot say activations "
                   "per_channel; static ranges are in calibration.h5"}));
}

TEST(LayoutNotes, GroupsThatDoNotDivideAnInput) {
  Scheme scheme = alone(true);
  scheme.nodes = {
      {"mlp.hidden", {.granularity = Granularity::per_group, .symmetric = true, .group_size = 10}}};
  EXPECT_EQ(notes_of(support::tiny_llama(), scheme), Notes{});
  scheme.nodes.front().scheme.group_size = 16;
  EXPECT_EQ(notes_of(support::tiny_llama(), scheme),
            (Notes{"transformers does not run this quantized/: groups of 16 do not divide the 20 "
                   "inputs of 'model.layers.0.mlp.down_proj', and it has no short groups; "
                   "calibrate does"}));
}

TEST(LayoutNotes, WhatTransformersDoesNotLoad) {
  const auto is_refused = [](const TinyFamily& family, const Scheme& scheme) {
    const Notes notes = notes_of(family, scheme);
    return !notes.empty() &&
           notes.back().starts_with("transformers does not load this quantized/: ");
  };
  Scheme nothing = alone(true);
  nothing.keep = {"blocks.*"};
  EXPECT_TRUE(is_refused(support::tiny_gpt2(), alone(true)));
  EXPECT_FALSE(is_refused(support::tiny_gpt2(), nothing));
  EXPECT_FALSE(is_refused(support::tiny_mixtral(), alone(true)));
  EXPECT_TRUE(is_refused(support::tiny_mixtral(), alone(false)));
  EXPECT_TRUE(is_refused(support::tiny_mixtral(), alone(true, 6)));
  EXPECT_TRUE(is_refused(support::tiny_mixtral(), Scheme{}));
  const Notes asymmetric = notes_of(support::tiny_falcon(), alone(false));
  ASSERT_EQ(asymmetric.size(), 1U);
  EXPECT_NE(asymmetric[0].find("dequantize=True"), std::string::npos) << asymmetric[0];
  EXPECT_EQ(notes_of(support::tiny_falcon(), alone(false, 6)), Notes{});
  Scheme some = alone(false);
  some.nodes = {{"mlp.*", {.bits = 8}}};
  EXPECT_TRUE(is_refused(support::tiny_falcon(), some));
  some.weights.symmetric = true;
  EXPECT_EQ(notes_of(support::tiny_falcon(), some), Notes{});
}

TEST(PackingFault, NamesALinearThatIsQuantized) {
  const Architecture architecture = architecture_of(support::tiny_llama());  // 16 and 20 columns
  Scheme scheme;
  scheme.weights = {.bits = 4, .granularity = Granularity::per_group, .group_size = 4};
  EXPECT_EQ(packing_fault(architecture, scheme), std::nullopt);
  scheme.weights.group_size = 16;
  const auto fault = packing_fault(architecture, scheme);
  ASSERT_TRUE(fault.has_value());
  EXPECT_TRUE(fault->starts_with("'model.layers.0.mlp.down_proj': group_size 16 ")) << *fault;
  scheme.keep = {"*.down_proj"};
  EXPECT_EQ(packing_fault(architecture, scheme), std::nullopt);
}

}  // namespace
}  // namespace evenkeel
