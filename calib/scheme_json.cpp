#include "calib/scheme_json.h"

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

nlohmann::ordered_json to_json(const TensorScheme& scheme) {
  if (!is_quantized(scheme)) return {{"bits", scheme.bits}};
  nlohmann::ordered_json json{{"bits", scheme.bits},
                              {"granularity", name_of(scheme.granularity)},
                              {"symmetric", scheme.symmetric},
                              {"range", name_of(scheme.range)},
                              {"rounding", name_of(scheme.rounding)}};
  if (scheme.granularity == Granularity::per_group) json["group_size"] = scheme.group_size;
  if (scheme.rounding == Rounding::gptq) {
    json["gptq"] = {{"damping", scheme.gptq.damping},
                    {"activation_order", scheme.gptq.activation_order},
                    {"static_groups", scheme.gptq.static_groups}};
  }
  return json;
}

template <typename Value>
Value known(std::optional<Value> value, const JsonReader& json, const std::string& key) {
  if (value) return *value;
  throw InputError(fmt::format("{}: '{}': {} is not known; was it written by a later version?",
                               json.path().string(), key, in_quotes(json.text(key))));
}

TensorScheme tensor_scheme(const JsonReader& json, const std::string& key) {
  TensorScheme scheme;
  scheme.bits = static_cast<int>(json.positive(key + ".bits"));
  if (!is_quantized(scheme)) return scheme;
  scheme.granularity =
      known(granularity_named(json.text(key + ".granularity")), json, key + ".granularity");
  scheme.symmetric = json.boolean(key + ".symmetric", false);
  scheme.range = known(range_estimator_named(json.text(key + ".range")), json, key + ".range");
  scheme.rounding = known(rounding_named(json.text(key + ".rounding")), json, key + ".rounding");
  scheme.group_size = static_cast<int>(json.positive(key + ".group_size", scheme.group_size));
  if (scheme.rounding == Rounding::gptq) {
    const std::string gptq = key + ".gptq.";
    scheme.gptq.damping = json.number(gptq + "damping", scheme.gptq.damping);
    scheme.gptq.activation_order = json.boolean(gptq + "activation_order", true);
    scheme.gptq.static_groups = json.boolean(gptq + "static_groups", true);
  }
  return scheme;
}

}  // namespace

nlohmann::ordered_json scheme_to_json(const Scheme& scheme) {
  return {{"weights", to_json(scheme.weights)},
          {"activations", to_json(scheme.activations)},
          {"propagate", name_of(scheme.propagate)}};
}

Scheme scheme_from_json(const JsonReader& json, const std::string& key) {
  Scheme scheme;
  scheme.weights = tensor_scheme(json, key + ".weights");
  scheme.activations = tensor_scheme(json, key + ".activations");
  scheme.propagate =
      known(propagate_named(json.text(key + ".propagate")), json, key + ".propagate");
  if (const auto faults = faults_of(scheme); !faults.empty()) {
    throw InputError(fmt::format("{}: '{}': {}", json.path().string(), key, faults.front()));
  }
  return scheme;
}

}  // namespace evenkeel
