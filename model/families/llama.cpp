// LLaMA 1, 2 and 3 (Touvron et al. 2023).
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_llama(const JsonReader& config) {
  Architecture model = llama_like(config, "llama");
  const bool attention_bias = config.boolean("attention_bias", false);
  const bool mlp_bias = config.boolean("mlp_bias", false);
  for (const LinearRole role : all_linears) {
    const bool attention = index_of(role) <= index_of(LinearRole::output);
    model.linears[index_of(role)].bias = attention ? attention_bias : mlp_bias;
  }
  return model;
}

}  // namespace evenkeel
