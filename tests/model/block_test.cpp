// A block as it is stored.
#include "model/block.h"

#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "model/stored_linears.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

// What was stored, by name.
using Stored = std::map<std::string, std::vector<float>>;

Stored write(const std::filesystem::path& folder, support::TinyOpt options) {
  Stored stored;
  options.change = [&](const std::string& name, const std::vector<float>& values) {
    stored[name] = values;
  };
  support::write_tiny_opt(folder, options);
  return stored;
}

std::vector<float> flat(const ConstMatrixView& values) {
  std::vector<float> all;
  for (Index i = 0; i < values.rows(); ++i) {
    for (Index j = 0; j < values.cols(); ++j) all.push_back(values(i, j));
  }
  return all;
}

TEST(Block, HoldsWhatIsStored) {
  const support::ScratchFolder folder;
  const Stored stored = write(folder.path(), {});
  const Checkpoint checkpoint(folder.path());
  const Architecture architecture = resolve_architecture(checkpoint);
  EXPECT_EQ(architecture.linear_places().size(), 6U);
  EXPECT_EQ(architecture.norm_roles().size(), 2U);
  for (Index number = 0; number < 2; ++number) {
    const Block block = load_block(checkpoint, architecture, number);
    for (const NormRole role : architecture.norm_roles()) {
      const std::string name = architecture.norm_name(number, role);
      EXPECT_EQ(flat(block.norm(role).gain), stored.at(name + ".weight"));
      EXPECT_EQ(flat(block.norm(role).bias), stored.at(name + ".bias"));
    }
    for (const LinearPlace place : architecture.linear_places()) {
      const std::string name = architecture.linear_name(number, place);
      EXPECT_EQ(block.linear(place).weight.rows(), architecture.rows(place.role));
      EXPECT_EQ(flat(block.linear(place).weight), stored.at(name + ".weight"));
      EXPECT_EQ(flat(block.linear(place).bias), stored.at(name + ".bias"));
    }
  }
}

// Half precision keeps 11 bits.
TEST(Block, DecodesHalfPrecision) {
  const support::ScratchFolder folder;
  support::TinyOpt options;
  options.dtype = DType::F16;
  const Stored stored = write(folder.path(), options);
  const Checkpoint checkpoint(folder.path());
  const Block block = load_block(checkpoint, resolve_architecture(checkpoint), 0);
  const std::vector<float> weight = flat(block.linear(LinearRole::down).weight);
  const std::vector<float>& expected = stored.at("model.decoder.layers.0.fc2.weight");
  ASSERT_EQ(weight.size(), expected.size());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    EXPECT_NEAR(weight[i], expected[i], std::abs(expected[i]) * 0x1p-11F + 0x1p-25F);
  }
}

TEST(Block, WithoutBiasHasEmptyOnes) {
  const support::ScratchFolder folder;
  support::TinyOpt options;
  options.bias = false;
  support::write_tiny_opt(folder.path(), options);
  const Checkpoint checkpoint(folder.path());
  const Architecture architecture = resolve_architecture(checkpoint);
  const Block block = load_block(checkpoint, architecture, 1);
  for (const LinearPlace place : architecture.linear_places())
    EXPECT_EQ(block.linear(place).bias.size(), 0);
  for (const NormRole role : architecture.norm_roles()) EXPECT_EQ(block.norm(role).bias.size(), 16);
}

TEST(Block, WeightsComeFromTheLoader) {
  const support::ScratchFolder folder;
  support::write_tiny_opt(folder.path());
  const Checkpoint checkpoint(folder.path());
  const Architecture architecture = resolve_architecture(checkpoint);
  std::vector<std::string> asked;
  const Block block = load_block(checkpoint, architecture, 1, [&](const StoredLinear& stored) {
    asked.push_back(stored.module);
    return Matrix::Constant(stored.rows, stored.columns, 3.0F);
  });
  const std::string place = "model.decoder.layers.1.";
  EXPECT_EQ(asked,
            (std::vector<std::string>{place + "self_attn.q_proj", place + "self_attn.k_proj",
                                      place + "self_attn.v_proj", place + "self_attn.out_proj",
                                      place + "fc1", place + "fc2"}));
  EXPECT_EQ(block.linear(LinearRole::up).weight, Matrix::Constant(24, 16, 3.0F));
  EXPECT_EQ(block.linear(LinearRole::up).bias,
            load_block(checkpoint, architecture, 1).linear(LinearRole::up).bias);
}

TEST(Block, ANaNIsNamed) {
  const support::ScratchFolder folder;
  support::TinyOpt options;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (name == "model.decoder.layers.1.fc1.weight") values[16 + 3] = std::nanf("");
  };
  support::write_tiny_opt(folder.path(), options);
  const Checkpoint checkpoint(folder.path());
  const Architecture architecture = resolve_architecture(checkpoint);
  EXPECT_NO_THROW(load_block(checkpoint, architecture, 0));
  support::expect_error<InputError>([&] { load_block(checkpoint, architecture, 1); }, folder.path(),
                                    {"layers.1.fc1.weight", "row 1, column 3"});
}

TEST(Block, CanBeLoadedAgainAfterItsRelease) {
  for (const bool bias : {true, false}) {
    const support::ScratchFolder folder;
    support::TinyOpt options;
    options.bias = bias;
    support::write_tiny_opt(folder.path(), options);
    const Checkpoint checkpoint(folder.path());
    const Architecture architecture = resolve_architecture(checkpoint);
    const Block block = load_block(checkpoint, architecture, 0);
    release_block(checkpoint, architecture, 0);
    const Block again = load_block(checkpoint, architecture, 0);
    for (const LinearPlace place : architecture.linear_places()) {
      EXPECT_EQ(again.linear(place).weight, block.linear(place).weight);
    }
  }
}

// ---- Other layouts.

using support::TinyFamily;
using support::TinyTensor;

// A family's checkpoint and what it holds.
class Written {
 public:
  explicit Written(const TinyFamily& family)
      : checkpoint(support::write_tiny_family(folder_.path(), family)),
        architecture(resolve_architecture(checkpoint)) {}

  Block block(Index number) const { return load_block(checkpoint, architecture, number); }
  Matrix matrix(const std::string& name, Index rows, Index columns) const {
    return checkpoint.matrix(name, rows, columns);
  }
  Vector vector(const std::string& name, Index size) const { return checkpoint.vector(name, size); }

 private:
  support::ScratchFolder folder_;

 public:
  Checkpoint checkpoint;
  Architecture architecture;
};

// Rows by hand: four heads of four channels, two groups.
TEST(Block, OfFusedLinearsHasEachItsRows) {
  const Written falcon(support::tiny_falcon());
  const Block block = falcon.block(1);
  const std::string name = "transformer.h.1.self_attention.query_key_value";
  const Matrix fused = falcon.matrix(name + ".weight", 32, 16);
  const Vector bias = falcon.vector(name + ".bias", 32);
  Matrix query(16, 16);
  query << fused.topRows(8), fused.middleRows(16, 8);
  Matrix key(8, 16);
  key << fused.middleRows(8, 4), fused.middleRows(24, 4);
  Vector value(8);
  value << bias.segment(12, 4), bias.segment(28, 4);
  EXPECT_EQ(block.linear(LinearRole::query).weight, query);
  EXPECT_EQ(block.linear(LinearRole::key).weight, key);
  EXPECT_EQ(block.linear(LinearRole::value).bias, value);
}

TEST(Block, OfTransposedWeightsIsTurnedRound) {
  const Written gpt2(support::tiny_gpt2());
  const Block block = gpt2.block(0);
  const Matrix fused = gpt2.matrix("transformer.h.0.attn.c_attn.weight", 16, 48);
  EXPECT_EQ(block.linear(LinearRole::key).weight, Matrix(fused.middleCols(16, 16).transpose()));
  EXPECT_EQ(block.linear(LinearRole::up).weight,
            Matrix(gpt2.matrix("transformer.h.0.mlp.c_fc.weight", 16, 20).transpose()));
}

TEST(Block, OfAMixtureHasEveryExpert) {
  const Written mixtral(support::tiny_mixtral());
  const Block block = mixtral.block(1);
  const std::string place = "model.layers.1.block_sparse_moe.";
  EXPECT_EQ(block.linear(LinearRole::router).weight, mixtral.matrix(place + "gate.weight", 5, 16));
  for (Index expert = 0; expert < 5; ++expert) {
    const std::string module = place + "experts." + std::to_string(expert) + ".";
    EXPECT_EQ(block.linear({LinearRole::gate, expert}).weight,
              mixtral.matrix(module + "w1.weight", 20, 16));
    EXPECT_EQ(block.linear({LinearRole::up, expert}).weight,
              mixtral.matrix(module + "w3.weight", 20, 16));
    EXPECT_EQ(block.linear({LinearRole::down, expert}).weight,
              mixtral.matrix(module + "w2.weight", 16, 20));
  }
}

// ---- Post-LayerNorm: the norm before attention stands in the block before.

TEST(Block, AfterItsNormHasThatOfTheBlockBefore) {
  const Written bert(support::tiny_bert(true));
  const Architecture& a = bert.architecture;
  EXPECT_EQ(a.norm_name(0, NormRole::attention_input), "bert.embeddings.LayerNorm");
  EXPECT_EQ(a.norm_name(1, NormRole::attention_input), "bert.encoder.layer.0.output.LayerNorm");
  EXPECT_EQ(a.norm_name(1, NormRole::mlp_input), "bert.encoder.layer.1.attention.output.LayerNorm");
  EXPECT_EQ(a.module(a.head.final_norm), "bert.encoder.layer.1.output.LayerNorm");
  EXPECT_EQ(bert.block(1).norm(NormRole::attention_input).gain,
            bert.vector("bert.encoder.layer.0.output.LayerNorm.weight", 16));
  const Written opt(support::tiny_projected_opt());
  EXPECT_EQ(opt.architecture.norm_name(0, NormRole::attention_input), "");
  EXPECT_FALSE(opt.block(0).norm(NormRole::attention_input).present());
  EXPECT_EQ(opt.block(1).norm(NormRole::attention_input).gain,
            opt.vector("model.decoder.layers.0.final_layer_norm.weight", 16));
}

constexpr const char* folded_norm = "bert.encoder.layer.0.attention.output.LayerNorm";

TinyFamily with_residual(TinyFamily family, const std::string& norm, std::int64_t size = 16) {
  family.config["residual_transforms"] = true;
  family.add(norm + ".residual_scale", {size});
  family.add(norm + ".residual_shift", {size});
  return family;
}

TEST(Block, ReadsWhatUndoesAFoldInTheResidual) {
  const Written bert(with_residual(support::tiny_bert(true), folded_norm));
  const Block block = bert.block(0);
  const Norm& norm = block.norm(NormRole::mlp_input);
  EXPECT_EQ(norm.residual_scale, bert.vector(std::string(folded_norm) + ".residual_scale", 16));
  EXPECT_EQ(norm.residual_shift, bert.vector(std::string(folded_norm) + ".residual_shift", 16));
  EXPECT_EQ(block.norm(NormRole::attention_input).residual_scale.size(), 0);
  EXPECT_EQ(bert.block(1).norm(NormRole::mlp_input).residual_scale.size(), 0);
}

void expect_refused(const TinyFamily& family, std::initializer_list<std::string_view> parts) {
  const support::ScratchFolder folder;
  const Checkpoint checkpoint(support::write_tiny_family(folder.path(), family));
  support::expect_error<InputError>([&] { resolve_architecture(checkpoint); }, folder.path(),
                                    parts);
}

TEST(Block, ResidualTransformsThatAreNotWhole) {
  const TinyFamily good = with_residual(support::tiny_bert(true), folded_norm);
  for (const char* lacking : {".residual_scale", ".residual_shift"}) {
    TinyFamily one = good;
    std::erase_if(one.tensors,
                  [&](const TinyTensor& tensor) { return tensor.name.ends_with(lacking); });
    expect_refused(one, {std::string(folded_norm) + lacking, "is missing"});
  }
  expect_refused(with_residual(support::tiny_bert(true), folded_norm, 15),
                 {"residual_scale", "[15]", "[16]"});
}

// Never read silently, never left out silently.
TEST(Block, ResidualTransformsNeedTheirKeyAndAResidualThatReadsTheNorm) {
  TinyFamily unsaid = with_residual(support::tiny_bert(true), folded_norm);
  unsaid.config.erase("residual_transforms");
  expect_refused(unsaid, {folded_norm, "'residual_transforms': true"});
  expect_refused(with_residual(support::tiny_gptj(), "transformer.h.0.ln_1"),
                 {"transformer.h.0.ln_1.residual_scale", "residual does not read the norm"});
}

}  // namespace
}  // namespace evenkeel
