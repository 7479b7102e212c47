// What config.json may say, and what it must not.
#include "model/architecture.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/checkpoint_edits.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::BuiltTensor;
using Tensors = std::vector<BuiltTensor>;

bool has_biases(const Architecture& architecture) {
  for (const LinearPlace place : architecture.linear_places()) {
    if (!architecture.linear(place.role).bias) return false;
  }
  return true;
}

class Architectures : public testing::Test {
 protected:
  Architectures() { support::write_tiny_opt(folder_.path()); }

  Architecture resolve(LinearStorage storage = LinearStorage::plain) const {
    return resolve_architecture(Checkpoint(folder_.path()), storage);
  }
  void set(const std::string& key, const nlohmann::json& value) const {
    support::change_config(folder_.path(), key, value);
  }
  void change(const std::function<void(Tensors&)>& action) const {
    support::change_tensors(folder_.path(), action);
  }
  void rename(const std::string& from, const std::string& to) const {
    change([&](Tensors& tensors) { support::tensor_named(tensors, from).name = to; });
  }
  void expect_config_refused(std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { resolve(); }, folder_ / "config.json", parts);
  }
  void expect_refused(std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { resolve(); }, folder_.path(), parts);
  }

  support::ScratchFolder folder_;
};

TEST_F(Architectures, OptIsReadFromItsConfig) {
  const Architecture a = resolve();
  EXPECT_EQ(a.model_type, "opt");
  EXPECT_EQ(a.channels, 16);
  EXPECT_EQ(a.ffn_channels, 24);
  EXPECT_EQ(a.heads, 2);
  EXPECT_EQ(a.head_channels, 8);
  EXPECT_EQ(a.blocks, 2);
  EXPECT_EQ(a.vocabulary, 264);
  EXPECT_EQ(a.positions, 32);
  EXPECT_TRUE(has_biases(a));
  EXPECT_TRUE(a.head.tied);
  EXPECT_EQ(a.activation, Activation::relu);
}

TEST_F(Architectures, NamesOfTensors) {
  const Architecture a = resolve();
  const std::string block = "model.decoder.layers.1.";
  EXPECT_EQ(a.linear_name(1, LinearRole::query), block + "self_attn.q_proj");
  EXPECT_EQ(a.linear_name(1, LinearRole::key), block + "self_attn.k_proj");
  EXPECT_EQ(a.linear_name(1, LinearRole::value), block + "self_attn.v_proj");
  EXPECT_EQ(a.linear_name(1, LinearRole::output), block + "self_attn.out_proj");
  EXPECT_EQ(a.linear_name(1, LinearRole::up), block + "fc1");
  EXPECT_EQ(a.linear_name(1, LinearRole::down), block + "fc2");
  EXPECT_EQ(a.norm_name(1, NormRole::attention_input), block + "self_attn_layer_norm");
  EXPECT_EQ(a.norm_name(1, NormRole::mlp_input), block + "final_layer_norm");
  EXPECT_EQ(a.token_embedding_name(), "model.decoder.embed_tokens.weight");
  EXPECT_EQ(a.module(a.embedding.positions), "model.decoder.embed_positions");
  EXPECT_EQ(a.module(a.head.final_norm), "model.decoder.final_layer_norm");
  EXPECT_EQ(a.logits_name(), a.token_embedding_name());
}

TEST_F(Architectures, SizesAndInputsOfLinears) {
  const Architecture a = resolve();
  struct Expected {
    LinearRole role;
    Index rows, columns;
    Node input;
  };
  for (const auto& [role, rows, columns, input] :
       {Expected{LinearRole::query, 16, 16, Node::attention_input},
        Expected{LinearRole::key, 16, 16, Node::attention_input},
        Expected{LinearRole::value, 16, 16, Node::attention_input},
        Expected{LinearRole::output, 16, 16, Node::attention_output},
        Expected{LinearRole::up, 24, 16, Node::mlp_input},
        Expected{LinearRole::down, 16, 24, Node::mlp_hidden}}) {
    EXPECT_EQ(a.rows(role), rows);
    EXPECT_EQ(a.columns(role), columns);
    EXPECT_EQ(input_of(role), input);
  }
}

TEST_F(Architectures, WhatMayBeLeftOutHasTheFamilysValue) {
  for (const char* key : {"activation_function", "enable_bias", "do_layer_norm_before",
                          "tie_word_embeddings", "word_embed_proj_dim"}) {
    set(key, nullptr);
  }
  const Architecture a = resolve();
  EXPECT_TRUE(has_biases(a));
  EXPECT_TRUE(a.head.tied);
  EXPECT_EQ(a.activation, Activation::relu);
}

TEST_F(Architectures, GeluIsKnown) {
  set("activation_function", "gelu");
  EXPECT_EQ(resolve().activation, Activation::gelu);
}

TEST_F(Architectures, TheBareDecoderHasAShorterPrefix) {
  change([](Tensors& tensors) {
    for (BuiltTensor& tensor : tensors) tensor.name = tensor.name.substr(6);
  });
  EXPECT_EQ(resolve().linear_name(0, LinearRole::up), "decoder.layers.0.fc1");
}

TEST_F(Architectures, AnUntiedHeadIsATensorOfItsOwn) {
  set("tie_word_embeddings", false);
  expect_refused({"'lm_head.weight'", "missing"});
  change([](Tensors& tensors) {
    BuiltTensor head = support::tensor_named(tensors, "model.decoder.embed_tokens.weight");
    head.name = "lm_head.weight";
    tensors.push_back(std::move(head));
  });
  const Architecture a = resolve();
  EXPECT_FALSE(a.head.tied);
  EXPECT_EQ(a.logits_name(), "lm_head.weight");
}

// ---- What is refused, and with which words.

TEST_F(Architectures, UnknownModelType) {
  for (const char* type : {"berta", "OPT", "opt2", ""}) {
    set("model_type", type);
    expect_config_refused(
        {"'model_type'", std::string("'") + type + "'", "supported: bert, bloom", "opt, phi"});
  }
  set("model_type", nullptr);
  expect_config_refused({"'model_type'"});
  set("model_type", 3);
  expect_config_refused({"'model_type'", "3"});
}

TEST_F(Architectures, UnsupportedActivation) {
  set("activation_function", "mish");
  expect_config_refused({"'activation_function'", "'mish'", "supported: relu, gelu"});
}

TEST_F(Architectures, ChoicesThatTheForwardDoesNotMake) {
  struct Choice {
    const char* key;
    bool wrong;
  };
  for (const auto& [key, wrong] :
       {Choice{"layer_norm_elementwise_affine", false}, Choice{"_remove_final_layer_norm", true}}) {
    set(key, wrong);
    expect_config_refused({key, wrong ? "true is not supported" : "false is not supported",
                           wrong ? "supported: false" : "supported: true"});
    set(key, !wrong);
    EXPECT_NO_THROW(resolve());
  }
}

TEST_F(Architectures, ProjectedEmbeddingsNeedTheirProjections) {
  change([](Tensors& tensors) {
    BuiltTensor& tokens = support::tensor_named(tensors, "model.decoder.embed_tokens.weight");
    tokens.shape = {264, 8};
    tokens.bytes.resize(tokens.bytes.size() / 2);
  });
  set("word_embed_proj_dim", 8);
  expect_refused({"'model.decoder.project_in.weight'", "is missing"});
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    change([&](Tensors& tensors) {
      tensors.push_back({name, "F32", shape, std::string(16 * 8 * 4, '\0')});
    });
  };
  add("model.decoder.project_in.weight", {16, 8});
  expect_refused({"'model.decoder.project_out.weight'", "is missing"});
  add("model.decoder.project_out.weight", {8, 16});
  EXPECT_EQ(resolve().embedding.channels, 8);
}

// A head_dim must not make them fit: other families read it, and OPT's tensors do not.
TEST_F(Architectures, SizesBeyondAnyModel) {
  set("num_attention_heads", 2147483647);
  set("head_dim", 2147483647);
  expect_config_refused({"2147483647 heads of 2147483647 channels"});
}

TEST_F(Architectures, HeadsThatDoNotDivide) {
  set("num_attention_heads", 3);
  expect_config_refused({"3 heads do not divide 16 channels"});
}

TEST_F(Architectures, SizesThatAreNoSizes) {
  for (const char* key : {"hidden_size", "ffn_dim", "num_attention_heads", "num_hidden_layers",
                          "vocab_size", "max_position_embeddings"}) {
    const auto right = nlohmann::json::parse(support::read_bytes(folder_ / "config.json")).at(key);
    for (const nlohmann::json& wrong :
         {nlohmann::json(0), nlohmann::json(-4), nlohmann::json(1.5), nlohmann::json("16"),
          nlohmann::json(1LL << 40), nlohmann::json()}) {
      set(key, wrong);
      expect_config_refused({key});
    }
    set(key, right);
  }
}

TEST_F(Architectures, SizesThatContradictTheTensors) {
  set("vocab_size", 263);
  expect_refused({"'model.decoder.embed_tokens.weight'", "[264, 16]", "'vocab_size'", "[263, 16]"});
  set("vocab_size", 264);
  set("max_position_embeddings", 34);  // without the offset of two
  expect_refused({"embed_positions", "[34, 16]", "'max_position_embeddings'", "[36, 16]"});
  set("max_position_embeddings", 32);
  set("ffn_dim", 25);
  expect_refused({"layers.0.fc1.weight", "[24, 16]", "[25, 16]"});
  set("ffn_dim", 24);
  set("num_hidden_layers", 2147483647);
  expect_refused({"layers.2.self_attn_layer_norm.weight", "missing"});
  set("num_hidden_layers", 2);
  EXPECT_NO_THROW(resolve());
}

TEST_F(Architectures, EveryTensorIsLookedUpAndItsShapeCompared) {
  Tensors all;
  change([&](Tensors& tensors) { all = tensors; });
  ASSERT_EQ(all.size(), 2U + 2U + 2U * 16U);
  for (const BuiltTensor& tensor : all) {
    SCOPED_TRACE(tensor.name);
    rename(tensor.name, "elsewhere");
    expect_refused({tensor.name, "is missing"});
    rename("elsewhere", tensor.name);

    const auto reshape = [&](std::vector<std::int64_t> shape) {
      change([&](Tensors& tensors) {
        support::tensor_named(tensors, tensor.name).shape = std::move(shape);
      });
    };
    std::vector<std::int64_t> wrong = tensor.shape;
    wrong.push_back(1);
    reshape(wrong);
    expect_refused({tensor.name, "contradicts config.json"});
    reshape(tensor.shape);
  }
}

TEST_F(Architectures, ATransposedWeightIsNotTaken) {
  change([](Tensors& tensors) {
    support::tensor_named(tensors, "model.decoder.layers.1.fc2.weight").shape = {24, 16};
  });
  expect_refused({"layers.1.fc2.weight", "[24, 16]", "[16, 24]"});
}

TEST_F(Architectures, WeightsAreFloats) {
  change([](Tensors& tensors) {
    support::tensor_named(tensors, "model.decoder.layers.0.fc1.weight").dtype = "I32";
  });
  expect_refused({"layers.0.fc1.weight", "I32", "F32, F16, BF16"});
}

TEST_F(Architectures, ConfigWithoutBiasNeedsNone) {
  change([](Tensors& tensors) {
    std::erase_if(tensors, [](const BuiltTensor& t) { return t.name.ends_with("fc1.bias"); });
  });
  expect_refused({"layers.0.fc1.bias", "is missing"});
  set("enable_bias", false);
  EXPECT_FALSE(has_biases(resolve()));
}

TEST_F(Architectures, PackedWeightsAreLeftToWhoUnpacksThem) {
  change([](Tensors& tensors) {
    std::erase_if(tensors, [](const BuiltTensor& t) { return t.name.ends_with("fc1.weight"); });
  });
  EXPECT_NO_THROW(resolve(LinearStorage::packed));
  expect_refused({"layers.0.fc1.weight", "is missing"});
  rename("model.decoder.layers.0.fc1.bias", "elsewhere");
  EXPECT_THROW(resolve(LinearStorage::packed), InputError);
}

}  // namespace
}  // namespace evenkeel
