// Mistral (Jiang et al. 2023): LLaMA with a sliding window.
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_mistral(const JsonReader& config) {
  Architecture model = llama_like(config, "mistral");
  model.windows =
      window_choice(config, model.blocks, integer_or_none(config, "sliding_window", 4096),
                    [](Index) { return true; });
  return model;
}

}  // namespace evenkeel
