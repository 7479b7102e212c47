#include "transforms/site.h"

namespace evenkeel {

std::string_view name_of(Objective value) {
  return value == Objective::attention ? "attention" : "linear";
}

std::vector<Site> sites_of(const Architecture& architecture) {
  const bool can_shift = architecture.bias;
  return {{.name = "attention",
           .producer = NormRole::attention,
           .input = Node::attention_input,
           .readers = {LinearRole::query, LinearRole::key, LinearRole::value},
           .objective = Objective::attention,
           .can_shift = can_shift},
          {.name = "mlp",
           .producer = NormRole::mlp,
           .input = Node::mlp_input,
           .readers = {LinearRole::up},
           .objective = Objective::linear,
           .can_shift = can_shift}};
}

}  // namespace evenkeel
