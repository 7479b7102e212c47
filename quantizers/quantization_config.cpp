// The part of packing.h that speaks JSON.
#include <algorithm>
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
    case Granularity::per_block:            // likewise (PackedFormat::code_book)
    case Granularity::per_head:             // of no linear's input
      break;
  }
  return {};
}

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

PackedFormat format_of(const LinearGroup& linears) {
  return format_of(Scheme{.weights = linears.weights, .activations = linears.activations});
}

ordered_json group_json(const LinearGroup& linears) {
  ordered_json weights = arguments_of(linears.weights);
  // Groups of activations are found anew each time, those of weights are stored.
  weights["dynamic"] = false;
  weights["observer"] = "minmax";
  const bool said = input_is_said(linears.activations);
  return {{"targets", linears.targets},
          {"weights", weights},
          {"input_activations", said ? arguments_of(linears.activations) : ordered_json(nullptr)},
          {"output_activations", nullptr},
          {"format", name_of(format_of(linears))}};
}

// The name of what all groups have, or that they differ.
std::string_view common_format(const std::vector<LinearGroup>& groups) {
  if (groups.empty()) return name_of(PackedFormat::int_quantized);
  const PackedFormat first = format_of(groups.front());
  const bool alike = std::ranges::all_of(
      groups, [first](const LinearGroup& linears) { return format_of(linears) == first; });
  return alike ? name_of(first) : "mixed-precision";
}

}  // namespace

ordered_json quantization_config(const std::vector<LinearGroup>& groups,
                                 const std::vector<std::string>& ignored) {
  // A method that other readers do not know, so that none takes the tensors for something else.
  if (common_format(groups) == name_of(PackedFormat::code_book)) {
    return {{"quant_method", "evenkeel"},
            {"format", name_of(PackedFormat::code_book)},
            {"ignore", ignored}};
  }
  ordered_json all = ordered_json::object();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    all[fmt::format("group_{}", i)] = group_json(groups[i]);
  }
  return {{"quant_method", "compressed-tensors"},
          {"format", common_format(groups)},
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
