// OPT (Zhang et al. 2022): pre-LayerNorm, and the post-LayerNorm of OPT-350m with its projections.
#include <fmt/format.h>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_opt(const JsonReader& config) {
  require_choice(config, "layer_norm_elementwise_affine", true, true);
  require_choice(config, "_remove_final_layer_norm", false, false);
  const bool norm_before = config.boolean("do_layer_norm_before", true);
  const bool bias = config.boolean("enable_bias", true);
  Architecture model = usual_sizes(config, "opt");
  model.positions = config.positive("max_position_embeddings");
  model.ffn_channels = config.positive("ffn_dim");
  model.prefixes = {"model.decoder.", "decoder."};
  model.embedding.tokens = "embed_tokens";
  model.embedding.positions = "embed_positions";
  model.embedding.position_offset = 2;
  model.embedding.positions_skip_padding = true;
  model.embedding.channels = config.positive("word_embed_proj_dim", model.channels);
  if (model.embedding.channels != model.channels) {
    model.embedding.project_in = "project_in";
    model.head.project_out = "project_out";
  }
  model.position_kind = PositionKind::learned;
  model.block = "layers.";
  // Norms after the sublayers are before the next ones: that of attention stands before the MLP.
  model.residual_after_norm = !norm_before;
  model.norms[index_of(NormRole::attention_input)] = {norm_before ? "self_attn_layer_norm"
                                                                  : "final_layer_norm"};
  model.norms[index_of(NormRole::mlp_input)] = {norm_before ? "final_layer_norm"
                                                            : "self_attn_layer_norm"};
  model.linears[index_of(LinearRole::query)] = {.name = "self_attn.q_proj", .bias = bias};
  model.linears[index_of(LinearRole::key)] = {.name = "self_attn.k_proj", .bias = bias};
  model.linears[index_of(LinearRole::value)] = {.name = "self_attn.v_proj", .bias = bias};
  model.linears[index_of(LinearRole::output)] = {.name = "self_attn.out_proj", .bias = bias};
  model.linears[index_of(LinearRole::up)] = {.name = "fc1", .bias = bias};
  model.linears[index_of(LinearRole::down)] = {.name = "fc2", .bias = bias};
  model.activation = activation_choice(config, "activation_function", "relu");
  model.head.final_norm = norm_before ? "final_layer_norm"
                                      : fmt::format("layers.{}.final_layer_norm", model.blocks - 1);
  model.head.logits = "lm_head";
  model.head.tied = config.boolean("tie_word_embeddings", true);
  return model;
}

}  // namespace evenkeel
