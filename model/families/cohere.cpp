// Cohere's Command R: parallel residual, LayerNorm without bias, neighbouring rotary pairs.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_cohere(const JsonReader& config) {
  Architecture model = llama_like(config, "cohere");
  give_attention_bias(model, config.boolean("attention_bias", false));
  model.norm_kind = NormKind::layer;
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_eps", 1e-5));
  model.norms[index_of(NormRole::mlp_input)] = {"", false};
  if (config.boolean("use_qk_norm", false)) {
    model.norms[index_of(NormRole::query)] = {"self_attn.q_norm", false};
    model.norms[index_of(NormRole::key)] = {"self_attn.k_norm", false};
    model.head_norm_kind = NormKind::layer;
    model.norm_by_head = true;
  }
  model.parallel_residual = true;
  model.rotary.pairs = RotaryPairs::neighbours;
  model.head.tied = config.boolean("tie_word_embeddings", true);
  model.head.scale = static_cast<float>(config.number("logit_scale", 0.0625));
  return model;
}

}  // namespace evenkeel
