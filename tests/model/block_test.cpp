// A block as it is stored.
#include "model/block.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
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
  for (Index number = 0; number < 2; ++number) {
    const Block block = load_block(checkpoint, architecture, number);
    for (const NormRole role : all_norms) {
      const std::string name = architecture.norm_name(number, role);
      EXPECT_EQ(flat(block.norm(role).gain), stored.at(name + ".weight"));
      EXPECT_EQ(flat(block.norm(role).bias), stored.at(name + ".bias"));
    }
    for (const LinearRole role : all_linears) {
      const std::string name = architecture.linear_name(number, role);
      EXPECT_EQ(block.linear(role).weight.rows(), architecture.rows(role));
      EXPECT_EQ(flat(block.linear(role).weight), stored.at(name + ".weight"));
      EXPECT_EQ(flat(block.linear(role).bias), stored.at(name + ".bias"));
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
  const Block block = load_block(checkpoint, resolve_architecture(checkpoint), 1);
  for (const LinearRole role : all_linears) EXPECT_EQ(block.linear(role).bias.size(), 0);
  for (const NormRole role : all_norms) EXPECT_EQ(block.norm(role).bias.size(), 16);
}

TEST(Block, WeightsComeFromTheLoader) {
  const support::ScratchFolder folder;
  support::write_tiny_opt(folder.path());
  const Checkpoint checkpoint(folder.path());
  const Architecture architecture = resolve_architecture(checkpoint);
  std::vector<std::string> asked;
  const Block block = load_block(checkpoint, architecture, 1,
                                 [&](const std::string& module, Index rows, Index columns) {
                                   asked.push_back(module);
                                   return Matrix::Constant(rows, columns, 3.0F);
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
    for (const LinearRole role : all_linears) {
      EXPECT_EQ(again.linear(role).weight, block.linear(role).weight);
    }
  }
}

}  // namespace
}  // namespace evenkeel
