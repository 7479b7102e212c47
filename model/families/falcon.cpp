// Falcon (Almazrouei et al. 2023): the multi-query parallel form of 7b and the grouped, two-norm
// form of 40b.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_falcon(const JsonReader& config) {
  require_choice(config, "alibi", false, false);
  require_choice(config, "parallel_attn", true, true);
  const bool grouped = config.boolean("new_decoder_architecture", false);
  if (!grouped) require_choice(config, "multi_query", true, true);
  const bool bias = config.boolean("bias", false);
  const bool two_norms = grouped && config.integer("num_ln_in_parallel_attn", 2) == 2;
  Architecture model = usual_sizes(config, "falcon");
  model.key_value_heads = grouped ? config.positive("num_kv_heads", model.heads) : 1;
  model.ffn_channels = config.positive("ffn_hidden_size", 4 * model.channels);
  model.prefixes = {"transformer.", ""};
  model.embedding.tokens = "word_embeddings";
  model.position_kind = PositionKind::rotary;
  model.rotary = rotary_choice(config, model.head_channels);
  model.block = "h.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_epsilon", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {two_norms ? "ln_attn" : "input_layernorm"};
  if (two_norms) model.norms[index_of(NormRole::mlp_input)] = {"ln_mlp"};
  model.parallel_residual = true;
  fuse_attention(model, "self_attention.query_key_value", FusedLayout::by_group, bias);
  model.linears[index_of(LinearRole::output)] = {.name = "self_attention.dense", .bias = bias};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.dense_h_to_4h", .bias = bias};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.dense_4h_to_h", .bias = bias};
  model.activation = activation_choice(config, "activation", "gelu");
  model.head.final_norm = "ln_f";
  model.head.logits = "lm_head";
  model.head.tied = config.boolean("tie_word_embeddings", true);
  return model;
}

}  // namespace evenkeel
