// GPT-2 (Radford et al. 2019): weights stored transposed (Conv1D), query, key and value fused.
#include <cmath>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gpt2(const JsonReader& config) {
  require_choice(config, "scale_attn_weights", true, true);
  require_choice(config, "scale_attn_by_inverse_layer_idx", false, false);
  require_choice(config, "add_cross_attention", false, false);
  Architecture model;
  model.model_type = "gpt2";
  model.channels = config.positive("n_embd");
  model.embedding.channels = model.channels;
  model.ffn_channels = config.positive("n_inner", 4 * model.channels);
  model.blocks = config.positive("n_layer");
  model.heads = config.positive("n_head");
  model.key_value_heads = model.heads;
  model.head_channels = model.channels / model.heads;
  model.query_scale = 1.0F / std::sqrt(static_cast<float>(model.head_channels));
  model.vocabulary = config.positive("vocab_size");
  model.positions = config.positive("n_positions");
  model.vocabulary_key = "vocab_size";
  model.positions_key = "n_positions";
  model.prefixes = {"transformer.", ""};
  model.embedding.tokens = "wte";
  model.embedding.positions = "wpe";
  model.position_kind = PositionKind::learned;
  model.block = "h.";
  model.weight_order = WeightOrder::in_out;
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_epsilon", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"ln_1"};
  model.norms[index_of(NormRole::mlp_input)] = {"ln_2"};
  model.fused_attention = "attn.c_attn";
  model.fused_layout = FusedLayout::blocks;
  for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value}) {
    model.linears[index_of(role)] = {.name = model.fused_attention, .bias = true};
  }
  model.linears[index_of(LinearRole::output)] = {.name = "attn.c_proj", .bias = true};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.c_fc", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.c_proj", .bias = true};
  model.activation = activation_choice(config, "activation_function", "gelu_new");
  model.head.final_norm = "ln_f";
  model.head.logits = "lm_head";
  model.head.tied = config.boolean("tie_word_embeddings", true);
  return model;
}

}  // namespace evenkeel
