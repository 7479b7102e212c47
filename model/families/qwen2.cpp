// Qwen2 (Yang et al. 2024): LLaMA with biases at query, key and value.
#include <algorithm>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_qwen2(const JsonReader& config) {
  Architecture model = llama_like(config, "qwen2");
  for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value}) {
    model.linears[index_of(role)].bias = true;
  }
  if (config.boolean("use_sliding_window", false)) {
    const Index first = config.integer("max_window_layers", 28);
    model.windows = window_choice(config, model.blocks, config.integer("sliding_window", 0),
                                  [](Index) { return true; });
    if (!config.has("layer_types")) {
      for (Index number = 0; number < std::min(first, model.blocks); ++number) {
        model.windows[static_cast<std::size_t>(number)] = 0;
      }
    }
  }
  return model;
}

}  // namespace evenkeel
