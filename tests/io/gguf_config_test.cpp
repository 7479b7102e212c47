#include "io/gguf_config.h"

#include "tests/support/expect_error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using support::GgufBuilder;
using Change = std::function<void(GgufBuilder&)>;

class GgufConfigTest : public testing::Test {
 protected:
  nlohmann::ordered_json config(const Change& change = [](GgufBuilder&) {}) const {
    GgufBuilder file = support::tiny_llama_gguf();
    change(file);
    support::write_bytes(path_, file.bytes());
    const GgufFile read(path_);
    return gguf_config(read, gguf_family_of(read));
  }

  void refused(const Change& change, std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { config(change); }, path_, parts);
  }

  support::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.gguf";
};

TEST_F(GgufConfigTest, SaysWhatConfigJsonWould) {
  const nlohmann::ordered_json expected{{"architectures", {"LlamaForCausalLM"}},
                                        {"model_type", "llama"},
                                        {"max_position_embeddings", 16},
                                        {"hidden_size", 8},
                                        {"num_hidden_layers", 2},
                                        {"intermediate_size", 12},
                                        {"num_attention_heads", 2},
                                        {"num_key_value_heads", 1},
                                        {"rms_norm_eps", 1e-6},
                                        {"hidden_act", "silu"},
                                        {"tie_word_embeddings", true},
                                        {"attention_bias", false},
                                        {"mlp_bias", false},
                                        {"vocab_size", 5}};
  EXPECT_EQ(config(), expected);
}

TEST_F(GgufConfigTest, TensorsThatAreThereSaySo) {
  const auto changed = config([](GgufBuilder& file) {
    file.add_floats("output.weight", {5, 8});
    file.add_floats("blk.0.attn_q.bias", {8});
    file.add_count("tokenizer.ggml.bos_token_id", 3);
  });
  EXPECT_EQ(changed["tie_word_embeddings"], false);
  EXPECT_EQ(changed["attention_bias"], true);
  EXPECT_EQ(changed["bos_token_id"], 3);
}

TEST_F(GgufConfigTest, TheFamilyIsTheFirstThatFits) {
  EXPECT_EQ(
      config([](GgufBuilder& file) { file.add_count("llama.expert_count", 0); })["model_type"],
      "llama");
  EXPECT_EQ(config([](GgufBuilder& file) {
              file.add_count("llama.attention.sliding_window", 4);
            })["model_type"],
            "mistral");
  const auto mixtral = config([](GgufBuilder& file) {
    file.add_count("llama.expert_count", 8);
    file.add_count("llama.expert_used_count", 2);
  });
  EXPECT_EQ(mixtral["model_type"], "mixtral");
  EXPECT_EQ(mixtral["num_local_experts"], 8);
  EXPECT_EQ(mixtral["num_experts_per_tok"], 2);
}

TEST_F(GgufConfigTest, CountsOfBlocksMustAgree) {
  const auto heads = [](std::uint32_t second) {
    return [second](GgufBuilder& file) {
      file.entries[5].type = support::gguf_type::array;
      file.entries[5].value = support::gguf_array(
          support::gguf_type::u32, 2,
          support::number_bytes<std::uint32_t>(2) + support::number_bytes(second));
    };
  };
  EXPECT_EQ(config(heads(2))["num_attention_heads"], 2);
  refused(heads(4), {"llama.attention.head_count", "the same for every block"});
}

TEST_F(GgufConfigTest, WhatIsMissingIsNamed) {
  refused([](GgufBuilder& file) { file.entries.erase(file.entries.begin() + 3); },
          {"llama.block_count", "missing"});
  refused([](GgufBuilder& file) { file.tensors.erase(file.tensors.begin()); },
          {"token_embd.weight", "missing"});
  refused(
      [](GgufBuilder& file) {
        file.entries[7].value = support::gguf_text("x"), file.entries[7].type = 8;
      },
      {"rms_epsilon", "a finite number"});
}

TEST_F(GgufConfigTest, RotaryPositions) {
  EXPECT_EQ(config([](GgufBuilder& file) {
              file.add_count("llama.rope.dimension_count", 4);
              file.add_text("llama.rope.scaling.type", "none");
              file.add_number("llama.rope.freq_base", 5e5F);
            })["rope_theta"],
            5e5);
  EXPECT_EQ(config([](GgufBuilder& file) {
              file.add_text("llama.rope.scaling.type", "linear");
              file.add_number("llama.rope.scaling.factor", 2.5F);
            })["rope_scaling"]["factor"],
            2.5);
  refused([](GgufBuilder& file) { file.add_count("llama.rope.dimension_count", 2); },
          {"rope.dimension_count", "the 4 channels"});
  refused([](GgufBuilder& file) { file.add_text("llama.rope.scaling.type", "yarn"); },
          {"'yarn' is not supported", "linear"});
  refused([](GgufBuilder& file) { file.add_text("llama.rope.scaling.type", "linear"); },
          {"rope.scaling.factor", "missing"});
}

TEST_F(GgufConfigTest, DivisorsOfFrequenciesBecomeAScaling) {
  const auto scaled = config([](GgufBuilder& file) {
    file.add_tensor("rope_freqs.weight", {2}, 0,
                    support::bytes_of_numbers(std::vector<float>{1.0F, 8.0F}));
  });
  EXPECT_EQ(scaled["rope_scaling"]["rope_type"], "llama3");
  EXPECT_EQ(scaled["rope_scaling"]["factor"], 8.0);
  const auto ones = config([](GgufBuilder& file) {
    file.add_tensor("rope_freqs.weight", {2}, 0,
                    support::bytes_of_numbers(std::vector<float>{1.0F, 1.0F}));
  });
  EXPECT_FALSE(ones.contains("rope_scaling"));
  refused(
      [](GgufBuilder& file) {
        file.add_tensor("rope_freqs.weight", {2}, 0,
                        support::bytes_of_numbers(std::vector<float>{8.0F, 1.0F}));
      },
      {"rope_freqs.weight", "Llama 3"});
}

}  // namespace
}  // namespace evenkeel
