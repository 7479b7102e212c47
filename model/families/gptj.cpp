// GPT-J (Wang and Komatsuzaki 2021): parallel residual with one norm, partial rotary positions.
#include <cmath>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gptj(const JsonReader& config) {
  Architecture model;
  model.model_type = "gptj";
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
  model.position_kind = PositionKind::rotary;
  model.rotary.channels = config.positive("rotary_dim", model.head_channels);
  model.rotary.pairs = RotaryPairs::neighbours;
  model.block = "h.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_epsilon", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"ln_1"};
  model.parallel_residual = true;
  model.linears[index_of(LinearRole::query)] = {.name = "attn.q_proj"};
  model.linears[index_of(LinearRole::key)] = {.name = "attn.k_proj"};
  model.linears[index_of(LinearRole::value)] = {.name = "attn.v_proj"};
  model.linears[index_of(LinearRole::output)] = {.name = "attn.out_proj"};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.fc_in", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.fc_out", .bias = true};
  model.activation = activation_choice(config, "activation_function", "gelu_new");
  model.head.final_norm = "ln_f";
  model.head.logits = "lm_head";
  model.head.bias = "lm_head.bias";
  model.head.tied = config.boolean("tie_word_embeddings", false);
  return model;
}

}  // namespace evenkeel
