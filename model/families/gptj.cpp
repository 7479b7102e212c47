// GPT-J (Wang and Komatsuzaki 2021): parallel residual with one norm, partial rotary positions.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gptj(const JsonReader& config) {
  Architecture model = gpt_like(config, "gptj");
  model.position_kind = PositionKind::rotary;
  model.rotary.channels = integer_or_none(config, "rotary_dim", 64);  // 0 is refused
  model.rotary.pairs = RotaryPairs::neighbours;
  model.parallel_residual = true;
  model.linears[index_of(LinearRole::query)] = {.name = "attn.q_proj"};
  model.linears[index_of(LinearRole::key)] = {.name = "attn.k_proj"};
  model.linears[index_of(LinearRole::value)] = {.name = "attn.v_proj"};
  model.linears[index_of(LinearRole::output)] = {.name = "attn.out_proj"};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.fc_in", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.fc_out", .bias = true};
  model.head.bias = "lm_head.bias";
  model.head.tied = config.boolean("tie_word_embeddings", false);
  return model;
}

}  // namespace evenkeel
