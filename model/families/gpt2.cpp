// GPT-2 (Radford et al. 2019): weights stored transposed (Conv1D), query, key and value fused.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gpt2(const JsonReader& config) {
  require_choice(config, "scale_attn_weights", true, true);
  require_choice(config, "scale_attn_by_inverse_layer_idx", false, false);
  require_choice(config, "add_cross_attention", false, false);
  Architecture model = gpt_like(config, "gpt2");
  model.embedding.positions = "wpe";
  model.position_kind = PositionKind::learned;
  model.weight_order = WeightOrder::in_out;
  model.norms[index_of(NormRole::mlp_input)] = {"ln_2"};
  fuse_attention(model, "attn.c_attn", FusedLayout::blocks, true);
  model.linears[index_of(LinearRole::output)] = {.name = "attn.c_proj", .bias = true};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.c_fc", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.c_proj", .bias = true};
  model.head.tied = config.boolean("tie_word_embeddings", true);
  return model;
}

}  // namespace evenkeel
