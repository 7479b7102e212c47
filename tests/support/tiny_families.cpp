#include "support/tiny_families.h"

#include <fmt/format.h>

#include "support/random_matrix.h"
#include "support/safetensors_builder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel::support {
namespace {

constexpr std::int64_t blocks = 2;
constexpr std::int64_t heads = 4;
constexpr std::int64_t shared_heads = 2;
constexpr std::int64_t width = tiny_channels / heads;
constexpr std::int64_t positions = 32;

nlohmann::json usual_config(const std::string& model_type) {
  return {{"model_type", model_type},      {"hidden_size", tiny_channels},
          {"intermediate_size", tiny_ffn}, {"num_hidden_layers", blocks},
          {"num_attention_heads", heads},  {"max_position_embeddings", positions},
          {"vocab_size", tiny_vocabulary}};
}

nlohmann::json gpt_config(const std::string& model_type) {
  return {{"model_type", model_type}, {"n_embd", tiny_channels},
          {"n_inner", tiny_ffn},      {"n_layer", blocks},
          {"n_head", heads},          {"n_positions", positions},
          {"rotary_dim", 2},          {"vocab_size", tiny_vocabulary}};
}

void linear(TinyFamily& family, const std::string& name, std::int64_t rows, std::int64_t columns,
            bool bias) {
  family.add(name + ".weight", {rows, columns});
  if (bias) family.add(name + ".bias", {rows});
}

void norm(TinyFamily& family, const std::string& name, bool bias) {
  family.add(name + ".weight", {tiny_channels});
  if (bias) family.add(name + ".bias", {tiny_channels});
}

// Query, key, value and the output projection, by their names.
void attention(TinyFamily& family, const std::string& place, const std::vector<std::string>& names,
               std::int64_t key_value_heads, bool bias) {
  linear(family, place + names.at(0), tiny_channels, tiny_channels, bias);
  linear(family, place + names.at(1), key_value_heads * width, tiny_channels, bias);
  linear(family, place + names.at(2), key_value_heads * width, tiny_channels, bias);
  linear(family, place + names.at(3), tiny_channels, tiny_channels, bias);
}

void llama_attention(TinyFamily& family, const std::string& place) {
  norm(family, place + "input_layernorm", false);
  norm(family, place + "post_attention_layernorm", false);
  attention(family, place,
            {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"},
            shared_heads, false);
}

// Of LLaMA and its kin: what is not in the blocks.
TinyFamily llama_frame(const std::string& model_type) {
  TinyFamily family{usual_config(model_type), {}};
  family.config["num_key_value_heads"] = shared_heads;
  family.config["tie_word_embeddings"] = true;
  family.add("model.embed_tokens.weight", {tiny_vocabulary, tiny_channels});
  norm(family, "model.norm", false);
  return family;
}

}  // namespace

TinyFamily tiny_llama(const std::string& model_type) {
  TinyFamily family = llama_frame(model_type);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("model.layers.{}.", block);
    llama_attention(family, place);
    linear(family, place + "mlp.gate_proj", tiny_ffn, tiny_channels, false);
    linear(family, place + "mlp.up_proj", tiny_ffn, tiny_channels, false);
    linear(family, place + "mlp.down_proj", tiny_channels, tiny_ffn, false);
  }
  return family;
}

TinyFamily tiny_gemma2() {
  TinyFamily family = tiny_llama("gemma2");
  family.config["sliding_window"] = 5;
  family.config["query_pre_attn_scalar"] = 9;
  family.config["attn_logit_softcapping"] = 1.5;
  family.config["final_logit_softcapping"] = 2.0;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("model.layers.{}.", block);
    norm(family, place + "pre_feedforward_layernorm", false);
    norm(family, place + "post_feedforward_layernorm", false);
  }
  return family;
}

TinyFamily tiny_mixtral() {
  constexpr std::int64_t experts = 5;
  TinyFamily family = llama_frame("mixtral");
  family.config["num_local_experts"] = experts;
  family.config["num_experts_per_tok"] = 2;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("model.layers.{}.", block);
    llama_attention(family, place);
    linear(family, place + "block_sparse_moe.gate", experts, tiny_channels, false);
    for (std::int64_t expert = 0; expert < experts; ++expert) {
      const std::string module = fmt::format("{}block_sparse_moe.experts.{}.", place, expert);
      linear(family, module + "w1", tiny_ffn, tiny_channels, false);
      linear(family, module + "w3", tiny_ffn, tiny_channels, false);
      linear(family, module + "w2", tiny_channels, tiny_ffn, false);
    }
  }
  return family;
}

TinyFamily tiny_gptj() {
  TinyFamily family{gpt_config("gptj"), {}};
  family.add("transformer.wte.weight", {tiny_vocabulary, tiny_channels});
  norm(family, "transformer.ln_f", true);
  linear(family, "lm_head", tiny_vocabulary, tiny_channels, true);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("transformer.h.{}.", block);
    norm(family, place + "ln_1", true);
    attention(family, place, {"attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.out_proj"}, heads,
              false);
    linear(family, place + "mlp.fc_in", tiny_ffn, tiny_channels, true);
    linear(family, place + "mlp.fc_out", tiny_channels, tiny_ffn, true);
  }
  return family;
}

TinyFamily tiny_gpt2() {
  TinyFamily family{gpt_config("gpt2"), {}};
  family.add("transformer.wte.weight", {tiny_vocabulary, tiny_channels});
  family.add("transformer.wpe.weight", {positions, tiny_channels});
  norm(family, "transformer.ln_f", true);
  const auto transposed = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    family.add(name + ".weight", {columns, rows});
    family.add(name + ".bias", {rows});
  };
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("transformer.h.{}.", block);
    norm(family, place + "ln_1", true);
    norm(family, place + "ln_2", true);
    transposed(place + "attn.c_attn", 3 * tiny_channels, tiny_channels);
    transposed(place + "attn.c_proj", tiny_channels, tiny_channels);
    transposed(place + "mlp.c_fc", tiny_ffn, tiny_channels);
    transposed(place + "mlp.c_proj", tiny_channels, tiny_ffn);
  }
  return family;
}

TinyFamily tiny_falcon() {
  TinyFamily family{usual_config("falcon"), {}};
  family.config["new_decoder_architecture"] = true;
  family.config["num_kv_heads"] = shared_heads;
  family.config["ffn_hidden_size"] = tiny_ffn;
  family.config["bias"] = true;
  family.add("transformer.word_embeddings.weight", {tiny_vocabulary, tiny_channels});
  norm(family, "transformer.ln_f", true);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("transformer.h.{}.", block);
    norm(family, place + "ln_attn", true);
    norm(family, place + "ln_mlp", true);
    linear(family, place + "self_attention.query_key_value", (heads + 2 * shared_heads) * width,
           tiny_channels, true);
    linear(family, place + "self_attention.dense", tiny_channels, tiny_channels, true);
    linear(family, place + "mlp.dense_h_to_4h", tiny_ffn, tiny_channels, true);
    linear(family, place + "mlp.dense_4h_to_h", tiny_channels, tiny_ffn, true);
  }
  return family;
}

TinyFamily tiny_bert(bool classifies) {
  TinyFamily family{usual_config("bert"), {}};
  family.config["type_vocab_size"] = 3;
  family.config["architectures"] =
      nlohmann::json::array({classifies ? "BertForSequenceClassification" : "BertForMaskedLM"});
  const std::string embeddings = "bert.embeddings.";
  family.add(embeddings + "word_embeddings.weight", {tiny_vocabulary, tiny_channels});
  family.add(embeddings + "position_embeddings.weight", {positions, tiny_channels});
  family.add(embeddings + "token_type_embeddings.weight", {3, tiny_channels});
  norm(family, embeddings + "LayerNorm", true);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("bert.encoder.layer.{}.", block);
    attention(family, place,
              {"attention.self.query", "attention.self.key", "attention.self.value",
               "attention.output.dense"},
              heads, true);
    norm(family, place + "attention.output.LayerNorm", true);
    linear(family, place + "intermediate.dense", tiny_ffn, tiny_channels, true);
    linear(family, place + "output.dense", tiny_channels, tiny_ffn, true);
    norm(family, place + "output.LayerNorm", true);
  }
  if (classifies) {
    family.config["id2label"] = {{"0", "a"}, {"1", "b"}, {"2", "c"}};
    linear(family, "bert.pooler.dense", tiny_channels, tiny_channels, true);
    linear(family, "classifier", 3, tiny_channels, true);
  } else {
    linear(family, "cls.predictions.transform.dense", tiny_channels, tiny_channels, true);
    norm(family, "cls.predictions.transform.LayerNorm", true);
    family.add("cls.predictions.bias", {tiny_vocabulary});
  }
  return family;
}

TinyFamily tiny_projected_opt() {
  constexpr std::int64_t narrow = 6;
  TinyFamily family{usual_config("opt"), {}};
  family.config["ffn_dim"] = tiny_ffn;
  family.config["word_embed_proj_dim"] = narrow;
  family.config["do_layer_norm_before"] = false;
  const std::string decoder = "model.decoder.";
  family.add(decoder + "embed_tokens.weight", {tiny_vocabulary, narrow});
  family.add(decoder + "embed_positions.weight", {positions + 2, tiny_channels});
  linear(family, decoder + "project_in", tiny_channels, narrow, false);
  linear(family, decoder + "project_out", narrow, tiny_channels, false);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::string place = fmt::format("{}layers.{}.", decoder, block);
    attention(family, place,
              {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"},
              heads, true);
    norm(family, place + "self_attn_layer_norm", true);
    linear(family, place + "fc1", tiny_ffn, tiny_channels, true);
    linear(family, place + "fc2", tiny_channels, tiny_ffn, true);
    norm(family, place + "final_layer_norm", true);
  }
  return family;
}

std::filesystem::path write_tiny_family(const std::filesystem::path& folder,
                                        const TinyFamily& family, std::uint32_t seed) {
  std::filesystem::create_directories(folder);
  write_json(folder / "config.json", family.config);
  std::vector<BuiltTensor> built;
  for (const TinyTensor& tensor : family.tensors) {
    std::int64_t size = 1;
    for (const std::int64_t extent : tensor.shape) size *= extent;
    const bool bias = tensor.name.ends_with("bias");
    const float reach = bias ? 0.3F : 0.5F;
    const float middle = !bias && tensor.shape.size() == 1 ? 1.0F : 0.0F;
    const Vector values = random_vector(size, seed++, middle - reach, middle + reach);
    built.push_back({tensor.name, "F32", tensor.shape,
                     bytes_of_numbers(std::vector<float>(values.begin(), values.end()))});
  }
  write_bytes(folder / "model.safetensors", safetensors_bytes(built));
  return folder;
}

}  // namespace evenkeel::support
