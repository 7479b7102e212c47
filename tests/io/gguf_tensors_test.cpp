#include "io/gguf_tensors.h"

#include "tests/support/expect_error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using support::GgufBuilder;

class GgufTensorsTest : public testing::Test {
 protected:
  std::vector<StoredTensor> tensors(const GgufBuilder& file) {
    support::write_bytes(path_, file.bytes());
    files_.push_back(std::make_unique<GgufFile>(path_));
    return gguf_tensors(*files_.back(), gguf_family_of(*files_.back()));
  }

  static const StoredTensor& named(const std::vector<StoredTensor>& tensors,
                                   std::string_view name) {
    const auto found = std::ranges::find(tensors, name, &StoredTensor::name);
    if (found == tensors.end()) throw std::out_of_range(std::string(name));
    return *found;
  }

  static std::vector<float> values(const StoredTensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    decode(tensor, 0, values);
    return values;
  }

  support::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.gguf";
  std::vector<std::unique_ptr<GgufFile>> files_;  // tensors point into them
};

TEST(GgufNames, NumbersTakeTheirPlaces) {
  EXPECT_EQ(renamed("a.b", "c", "a.b"), "c");
  EXPECT_EQ(renamed("blk.{}.q", "layers.{}.q_proj", "blk.12.q"), "layers.12.q_proj");
  EXPECT_EQ(renamed("blk.{}.gate.{}", "l.{}.e.{}.w1", "blk.3.gate.41"), "l.3.e.41.w1");
  EXPECT_EQ(renamed("blk.{}.exps", "l.{}.e.{}.w1", "blk.3.exps"), "l.3.e.{}.w1");
  EXPECT_EQ(renamed("blk.{}.q", "x", "blk..q"), std::nullopt);
  EXPECT_EQ(renamed("blk.{}.q", "x", "blk.1a.q"), std::nullopt);
  EXPECT_EQ(renamed("blk.{}.q", "x", "blk.1.qq"), std::nullopt);
  EXPECT_EQ(renamed("blk.{}.q", "x", "blk.1."), std::nullopt);
  EXPECT_EQ(renamed("a", "x", ""), std::nullopt);
}

TEST_F(GgufTensorsTest, TakeTheirNamesAndOrderOfRows) {
  const auto all = tensors(support::tiny_llama_gguf());
  EXPECT_EQ(all.size(), 20U);
  EXPECT_EQ(named(all, "model.embed_tokens.weight").shape, (std::vector<std::int64_t>{5, 8}));
  EXPECT_EQ(named(all, "model.norm.weight").shape, (std::vector<std::int64_t>{8}));
  EXPECT_EQ(named(all, "model.layers.1.mlp.down_proj.weight").shape,
            (std::vector<std::int64_t>{8, 12}));
  // Two heads of 4 rows of 8: rows 0, 2, 1, 3, 4, 6, 5, 7 as stored.
  const auto query = values(named(all, "model.layers.1.self_attn.q_proj.weight"));
  std::vector<float> firsts;
  for (std::size_t row = 0; row < 8; ++row) firsts.push_back(query[row * 8] / 8);
  EXPECT_EQ(firsts, (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7}));
  // One key head of 4 rows.
  const auto key = values(named(all, "model.layers.0.self_attn.k_proj.weight"));
  EXPECT_EQ(key[8], 16.0F);
  const auto value = values(named(all, "model.layers.0.self_attn.v_proj.weight"));
  EXPECT_EQ(value[8], 8.0F);
}

TEST_F(GgufTensorsTest, OtherArchitecturesKeepTheirRows) {
  GgufBuilder file = support::tiny_llama_gguf();
  file.entries[0].value = support::gguf_text("qwen2");
  EXPECT_EQ(values(named(tensors(file), "model.layers.1.self_attn.q_proj.weight"))[8], 8.0F);
}

TEST_F(GgufTensorsTest, ExpertsAreTakenApart) {
  GgufBuilder file = support::tiny_llama_gguf();
  file.add_count("llama.expert_count", 3);
  file.add_count("llama.expert_used_count", 2);
  file.add_tensor("blk.0.ffn_up_exps.weight", {3, 2, 32}, 8, std::string(204, '\1'));
  file.add_floats("blk.0.ffn_down.2.weight", {2, 2}, 7.0F);
  const auto all = tensors(file);
  const StoredTensor& last = named(all, "model.layers.0.block_sparse_moe.experts.2.w3.weight");
  const StoredTensor& first = named(all, "model.layers.0.block_sparse_moe.experts.0.w3.weight");
  EXPECT_EQ(last.shape, (std::vector<std::int64_t>{2, 32}));
  EXPECT_EQ(last.bytes.size(), 2U * 34);
  EXPECT_EQ(last.file_offset, first.file_offset + 4U * 34);
  EXPECT_EQ(last.bytes.data(), first.bytes.data() + 4 * 34);
  EXPECT_EQ(values(named(all, "model.layers.0.block_sparse_moe.experts.2.w2.weight"))[0], 7.0F);
}

TEST_F(GgufTensorsTest, WhatDoesNotFitIsAnError) {
  const auto refused = [&](const std::function<void(GgufBuilder&)>& change,
                           std::initializer_list<std::string_view> parts) {
    GgufBuilder file = support::tiny_llama_gguf();
    change(file);
    support::expect_error<InputError>([&] { tensors(file); }, path_, parts);
  };
  refused([](GgufBuilder& file) { file.add_floats("blk.0.odd.weight", {1}); },
          {"'blk.0.odd.weight'", "'llama'"});
  refused([](GgufBuilder& file) { file.add_floats("output", {1}); }, {"'output'"});
  refused([](GgufBuilder& file) { file.add_floats("output_norm.scale", {1}); }, {"scale"});
  refused(
      [](GgufBuilder& file) {
        file.tensors[2].sizes = {7, 8};
      },
      {"'blk.0.attn_q.weight'", "7 rows", "2 heads"});
  refused(
      [](GgufBuilder& file) { file.entries[5].value = support::number_bytes<std::uint32_t>(0); },
      {"0 heads"});
  refused(
      [](GgufBuilder& file) { file.entries[0].value = support::gguf_text("mamba"); },
      {"'mamba' is not supported", "llama, qwen2, qwen3, gemma2, command-r, phi2, gptneox, bloom"});
  refused([](GgufBuilder& file) { file.entries.erase(file.entries.begin()); },
          {"general.architecture", "missing"});
  const auto experts = [](GgufBuilder& file) { file.add_count("llama.expert_count", 2); };
  refused(
      [&](GgufBuilder& file) {
        experts(file);
        file.add_floats("blk.0.ffn_up_exps.weight", {2, 2});
      },
      {"[experts, rows, columns]"});
  refused(
      [&](GgufBuilder& file) {
        experts(file);
        file.add_floats("blk.0.ffn_up_exps.weight", {3, 2, 2});
      },
      {"3 experts", "llama.expert_count"});
  refused(
      [&](GgufBuilder& file) {
        experts(file);
        file.add_floats("blk.0.ffn_up_exps.weight", {2, 2, 2});
        file.add_floats("blk.0.ffn_up.1.weight", {2, 2});
      },
      {"as another tensor does"});
}

}  // namespace
}  // namespace evenkeel
