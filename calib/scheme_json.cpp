#include "calib/scheme_json.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"
#include "quantizers/scheme_options.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

// The value at a dotted key of the scheme, or nullptr.
const Json* find(const Json& document, std::string_view key) {
  const Json* value = &document;
  while (value->is_object()) {
    const std::size_t dot = key.find('.');
    const auto found = value->find(std::string(key.substr(0, dot)));
    if (found == value->end()) return nullptr;
    value = &*found;
    if (dot == std::string_view::npos) return value;
    key.remove_prefix(dot + 1);
  }
  return nullptr;
}

constexpr std::string_view searched = "search";

template <typename Value>
Json json_of(Value value) {
  return value;
}
Json json_of(std::optional<double> value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(searched);
}

Json to_json(const TensorScheme& scheme) {
  if (!is_quantized(scheme)) return {{"bits", scheme.bits}};
  Json json{{"bits", scheme.bits},
            {"granularity", name_of(scheme.granularity)},
            {"symmetric", scheme.symmetric},
            {"range", name_of(scheme.range)},
            {"rounding", name_of(scheme.rounding)}};
  const auto write = [&](const SchemeOption& option) {
    if (!is_written(option, scheme)) return;
    std::visit([&](auto member) { json[std::string(option.key)] = json_of(scheme.*member); },
               option.member);
  };
  for (const SchemeOption& option : scheme_options()) {
    if (option.place != SchemeOption::Place::nodes) write(option);
  }
  if (scheme.codes != Codes::uniform) json["codes"] = name_of(scheme.codes);
  for (const SchemeOption& option : scheme_options()) {
    if (option.place == SchemeOption::Place::nodes) write(option);
  }
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

void read(const JsonReader& json, const std::string& key, int& value) {
  value = static_cast<int>(json.positive(key, value));
}
void read(const JsonReader& json, const std::string& key, double& value) {
  value = json.number(key, value);
}
void read(const JsonReader& json, const std::string& key, bool& value) {
  value = json.boolean(key, value);
}
void read(const JsonReader& json, const std::string& key, std::optional<double>& value) {
  const nlohmann::ordered_json* given = find(json.document(), key);
  if (given == nullptr || *given == searched) return;
  value = json.number(key, 0.0);
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
  scheme.codes =
      known(codes_named(json.text(key + ".codes", name_of(scheme.codes))), json, key + ".codes");
  for (const SchemeOption& option : scheme_options()) {
    std::visit(
        [&](auto member) { read(json, fmt::format("{}.{}", key, option.key), scheme.*member); },
        option.member);
  }
  if (scheme.rounding == Rounding::gptq) {
    const std::string gptq = key + ".gptq.";
    scheme.gptq.damping = json.number(gptq + "damping", scheme.gptq.damping);
    scheme.gptq.activation_order = json.boolean(gptq + "activation_order", true);
    scheme.gptq.static_groups = json.boolean(gptq + "static_groups", true);
  }
  return scheme;
}

void read_places(const JsonReader& json, const std::string& key, Scheme& scheme) {
  const auto wrong = [&](std::string_view part, std::string_view expected) {
    return InputError(
        fmt::format("{}: '{}.{}': expected {}", json.path().string(), key, part, expected));
  };
  if (const Json* nodes = find(json.document(), key + ".nodes")) {
    if (!nodes->is_object()) throw wrong("nodes", "an object");
    for (const auto& [pattern, value] : nodes->items()) {
      if (!value.is_object()) throw wrong(one_line("nodes." + pattern), "an object");
      const JsonReader node(json.path(), Json{{"nodes", value}});
      scheme.nodes.push_back({pattern, tensor_scheme(node, "nodes")});
    }
  }
  if (const Json* keep = find(json.document(), key + ".keep")) {
    const bool texts = keep->is_array() && std::ranges::all_of(*keep, [](const Json& pattern) {
                         return pattern.is_string();
                       });
    if (!texts) throw wrong("keep", "a list of texts");
    scheme.keep = keep->get<std::vector<std::string>>();
  }
}

}  // namespace

Json scheme_to_json(const Scheme& scheme) {
  Json json{{"weights", to_json(scheme.weights)},
            {"activations", to_json(scheme.activations)},
            {"propagate", name_of(scheme.propagate)}};
  for (const NodeScheme& node : scheme.nodes) json["nodes"][node.pattern] = to_json(node.scheme);
  if (!scheme.keep.empty()) json["keep"] = scheme.keep;
  return json;
}

Scheme scheme_from_json(const JsonReader& json, const std::string& key) {
  Scheme scheme;
  scheme.weights = tensor_scheme(json, key + ".weights");
  scheme.activations = tensor_scheme(json, key + ".activations");
  scheme.propagate =
      known(propagate_named(json.text(key + ".propagate")), json, key + ".propagate");
  read_places(json, key, scheme);
  if (const auto faults = faults_of(scheme); !faults.empty()) {
    throw InputError(fmt::format("{}: '{}': {}", json.path().string(), key, faults.front()));
  }
  return scheme;
}

}  // namespace evenkeel
