#include "calib/model_parts.h"

#include <set>

#include <gtest/gtest.h>

#include "calib/scheme_places.h"
#include "model/language_model.h"
#include "model/stored_linears.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

std::vector<std::string> names(const std::vector<ModelPart>& parts, PartKind kind) {
  std::vector<std::string> all;
  for (const ModelPart& part : parts) {
    if (part.kind == kind) all.push_back(part.name);
  }
  return all;
}

TEST(ModelParts, AreNodesLinearsSitesAndBlocks) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny.job().model);
  const LanguageModel model(checkpoint);
  const auto parts = parts_of(model.architecture(), Scheme{});
  EXPECT_EQ(names(parts, PartKind::node).size(), node_count);
  EXPECT_EQ(
      names(parts, PartKind::linear),
      (std::vector<std::string>{"*.self_attn.q_proj", "*.self_attn.k_proj", "*.self_attn.v_proj",
                                "*.self_attn.out_proj", "*.fc1", "*.fc2"}));
  EXPECT_EQ(names(parts, PartKind::site),
            (std::vector<std::string>{"attention", "output", "mlp", "down"}));
  EXPECT_EQ(names(parts, PartKind::block).size(),
            static_cast<std::size_t>(model.architecture().blocks));
}

TEST(ModelParts, AreNamedByPatternsThatASchemeCanKeep) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny.job().model);
  const LanguageModel model(checkpoint);
  for (const ModelPart& part : parts_of(model.architecture(), Scheme{})) {
    EXPECT_TRUE(place_faults(keeping(part), model.architecture()).empty()) << part.name;
    if (part.kind == PartKind::site) {
      EXPECT_GT(part.patterns.size(), 1U);
    } else {
      EXPECT_EQ(part.patterns, std::vector{part.name});
    }
  }
}

TEST(ModelParts, OfLinearsHoldOneRoleOfEachBlock) {
  for (const auto& family :
       {support::tiny_bert(true), support::tiny_mixtral(), support::tiny_gpt2(),
        support::tiny_falcon(), support::tiny_gemma2(), support::tiny_projected_opt()}) {
    const support::ScratchFolder folder;
    const Checkpoint checkpoint(support::write_tiny_family(folder / "model", family));
    const LanguageModel model(checkpoint);
    const Architecture& architecture = model.architecture();
    for (const ModelPart& part : parts_of(architecture, Scheme{})) {
      if (part.kind != PartKind::linear) continue;
      EXPECT_TRUE(place_faults(keeping(part), architecture).empty()) << part.name;
      for (Index block = 0; block < architecture.blocks; ++block) {
        std::set<LinearRole> roles;
        for (const StoredLinear& linear : stored_linears(architecture, block)) {
          if (is_quantized(linear.role()) && !is_quantized(keeping(part), block, linear)) {
            roles.insert(linear.role());
          }
        }
        EXPECT_EQ(roles.size(), 1U) << architecture.model_type << ": " << part.name;
      }
    }
  }
}

TEST(ModelParts, OfWhichNothingIsQuantizedAreLeftOut) {
  const support::TinyJob tiny;
  const Checkpoint checkpoint(tiny.job().model);
  const LanguageModel model(checkpoint);
  Scheme scheme = *scheme_named("w8a16");
  scheme.keep = {"blocks.0", "*.fc1"};
  const auto parts = parts_of(model.architecture(), scheme);
  EXPECT_TRUE(names(parts, PartKind::node).empty());
  EXPECT_EQ(names(parts, PartKind::linear).size(), 5U);
  EXPECT_EQ(names(parts, PartKind::site),
            (std::vector<std::string>{"attention", "output", "down"}));
  EXPECT_EQ(names(parts, PartKind::block).size(),
            static_cast<std::size_t>(model.architecture().blocks) - 1);
}

}  // namespace
}  // namespace evenkeel
