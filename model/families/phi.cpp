// Phi 1, 1.5 and 2: parallel residual with one norm, partial rotary positions, biases everywhere.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_phi(const JsonReader& config) {
  require_choice(config, "qk_layernorm", false, false);
  Architecture model = usual_sizes(config, "phi");
  model.ffn_channels = config.positive("intermediate_size");
  model.prefixes = {"model.", ""};
  model.embedding.tokens = "embed_tokens";
  model.position_kind = PositionKind::rotary;
  model.rotary =
      rotary_choice(config, rotary_part(config, model.head_channels, "partial_rotary_factor", 0.5));
  model.block = "layers.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_eps", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"input_layernorm"};
  model.parallel_residual = true;
  model.linears[index_of(LinearRole::query)] = {.name = "self_attn.q_proj", .bias = true};
  model.linears[index_of(LinearRole::key)] = {.name = "self_attn.k_proj", .bias = true};
  model.linears[index_of(LinearRole::value)] = {.name = "self_attn.v_proj", .bias = true};
  model.linears[index_of(LinearRole::output)] = {.name = "self_attn.dense", .bias = true};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.fc1", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.fc2", .bias = true};
  model.activation = activation_choice(config, "hidden_act", "gelu_new");
  model.head.final_norm = "final_layernorm";
  model.head.logits = "lm_head";
  model.head.bias = "lm_head.bias";
  model.head.tied = config.boolean("tie_word_embeddings", false);
  return model;
}

}  // namespace evenkeel
