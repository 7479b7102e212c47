// Mixtral (Jiang et al. 2024): Mistral with a mixture of experts.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_mixtral(const JsonReader& config) {
  Architecture model = llama_like(config, "mixtral");
  model.windows = window_choice(config, model.blocks, config.integer("sliding_window", 0),
                                [](Index) { return true; });
  model.linears[index_of(LinearRole::router)].name = "block_sparse_moe.gate";
  model.experts = "block_sparse_moe.experts.";
  model.linears[index_of(LinearRole::gate)].name = "w1";
  model.linears[index_of(LinearRole::up)].name = "w3";
  model.linears[index_of(LinearRole::down)].name = "w2";
  model.expert_count = config.positive("num_local_experts");
  model.experts_per_token = config.positive("num_experts_per_tok", 2);
  return model;
}

}  // namespace evenkeel
