// The part of packing.h that speaks JSON.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using nlohmann::ordered_json;

std::string_view strategy_of(Granularity granularity) {
  switch (granularity) {
    case Granularity::per_tensor:
      return "tensor";
    case Granularity::per_channel:
      return "channel";
    case Granularity::per_token:
      return "token";
    case Granularity::per_group:
      return "group";
    case Granularity::per_embedding_group:  // the layout has none (activations_fault)
    case Granularity::per_head:             // of no linear's input
      break;
  }
  return {};
}

constexpr std::string_view format = "int-quantized";

ordered_json arguments_of(const TensorScheme& scheme) {
  const bool dynamic = is_dynamic(scheme);
  return {
      {"num_bits", scheme.bits},
      {"type", "int"},
      {"symmetric", scheme.symmetric},
      {"strategy", strategy_of(scheme.granularity)},
      {"group_size", scheme.granularity == Granularity::per_group ? ordered_json(scheme.group_size)
                                                                  : ordered_json(nullptr)},
      {"dynamic", dynamic},
      {"observer", dynamic ? ordered_json(nullptr) : ordered_json("minmax")}};
}

ordered_json group_json(const LinearGroup& linears) {
  ordered_json weights = arguments_of(linears.weights);
  // Groups of activations are found anew each time, those of weights are stored.
  weights["dynamic"] = false;
  weights["observer"] = "minmax";
  const bool known =
      is_quantized(linears.activations) && !activations_fault(linears.activations).has_value();
  ordered_json group = {
      {"targets", linears.targets},
      {"weights", weights},
      {"input_activations", known ? arguments_of(linears.activations) : ordered_json(nullptr)},
      {"output_activations", nullptr}};
  // For weights alone, readers would infer the packed form.
  if (!known) group["format"] = format;
  return group;
}

}  // namespace

ordered_json quantization_config(const std::vector<LinearGroup>& groups,
                                 const std::vector<std::string>& ignored) {
  ordered_json all = ordered_json::object();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    all[fmt::format("group_{}", i)] = group_json(groups[i]);
  }
  return {{"quant_method", "compressed-tensors"},
          {"format", format},
          {"quantization_status", "compressed"},
          {"config_groups", all},
          {"ignore", ignored},
          {"kv_cache_scheme", nullptr}};
}

ordered_json quantization_config(const Scheme& scheme, const std::vector<std::string>& ignored) {
  return quantization_config({LinearGroup{scheme.weights, scheme.activations, {"Linear"}}},
                             ignored);
}

}  // namespace evenkeel
