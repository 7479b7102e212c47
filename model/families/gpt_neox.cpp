// GPT-NeoX and Pythia (Black et al. 2022, Biderman et al. 2023): parallel residual with two norms,
// or sequential; partial rotary positions; fused query, key and value by head.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gpt_neox(const JsonReader& config) {
  Architecture model = usual_sizes(config, "gpt_neox");
  const bool bias = config.boolean("attention_bias", true);
  model.ffn_channels = config.positive("intermediate_size");
  model.prefixes = {"gpt_neox.", ""};
  model.embedding.tokens = "embed_in";
  model.position_kind = PositionKind::rotary;
  model.rotary = rotary_choice(config, rotary_part(config, model.head_channels, "rotary_pct", 0.25),
                               config.has("rotary_emb_base") ? "rotary_emb_base" : "rope_theta");
  model.block = "layers.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_eps", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"input_layernorm"};
  model.norms[index_of(NormRole::mlp_input)] = {"post_attention_layernorm"};
  model.parallel_residual = config.boolean("use_parallel_residual", true);
  fuse_attention(model, "attention.query_key_value", FusedLayout::by_group, bias);
  model.linears[index_of(LinearRole::output)] = {.name = "attention.dense", .bias = bias};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.dense_h_to_4h", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.dense_4h_to_h", .bias = true};
  model.activation = activation_choice(config, "hidden_act", "gelu");
  model.head.final_norm = "final_layer_norm";
  model.head.logits = "embed_out";
  model.head.tied = config.boolean("tie_word_embeddings", false);
  return model;
}

}  // namespace evenkeel
