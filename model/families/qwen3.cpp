// Qwen3 (Yang et al. 2025): LLaMA with a norm of each head's query and key.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_qwen3(const JsonReader& config) {
  require_choice(config, "use_sliding_window", false, false);
  Architecture model = llama_like(config, "qwen3");
  give_attention_bias(model, config.boolean("attention_bias", false));
  model.norms[index_of(NormRole::query)] = {"self_attn.q_norm", false};
  model.norms[index_of(NormRole::key)] = {"self_attn.k_norm", false};
  return model;
}

}  // namespace evenkeel
