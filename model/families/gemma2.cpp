// Gemma 2 (Riviere et al. 2024): four norms that multiply by 1 + w, capped scores and logits,
// windows in every other block.
#include <cmath>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_gemma2(const JsonReader& config) {
  require_choice(config, "attention_bias", false, false);
  Architecture model = llama_like(config, "gemma2");
  model.embedding.scale = std::sqrt(static_cast<float>(model.channels));
  model.norm_kind = NormKind::rms_plus_one;
  model.norms[index_of(NormRole::attention_output)] = {"post_attention_layernorm", false};
  model.norms[index_of(NormRole::mlp_input)] = {"pre_feedforward_layernorm", false};
  model.norms[index_of(NormRole::mlp_output)] = {"post_feedforward_layernorm", false};
  model.activation = activation_choice(config, "hidden_activation", "gelu_pytorch_tanh");
  model.query_scale =
      1.0F / std::sqrt(static_cast<float>(config.number("query_pre_attn_scalar", 256.0)));
  model.score_cap = static_cast<float>(number_or_none(config, "attn_logit_softcapping", 50.0));
  model.windows =
      window_choice(config, model.blocks, integer_or_none(config, "sliding_window", 4096),
                    [](Index number) { return number % 2 == 0; });
  model.head.tied = config.boolean("tie_word_embeddings", true);
  model.head.cap = static_cast<float>(number_or_none(config, "final_logit_softcapping", 30.0));
  return model;
}

}  // namespace evenkeel
