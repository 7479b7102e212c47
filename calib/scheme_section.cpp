#include "calib/scheme_section.h"

#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "io/one_line.h"

namespace evenkeel {
namespace {

enum class Tensors { weights, activations, nodes };

// Nodes alone have codes of another kind than uniform.
void read_codes(const SectionReader& section, TensorScheme& scheme) {
  take(scheme.codes,
       section.choice("codes", {Codes::uniform, Codes::logarithmic, Codes::two_range}));
  take(scheme.steps_per_octave,
       section.integer("steps_per_octave", 1, std::numeric_limits<int>::max()));
  take(scheme.split, section.number("split", 0.0, 1.0));
  const std::string_view name = name_of(scheme.codes);
  if (scheme.codes != Codes::logarithmic) {
    section.idle("steps_per_octave", fmt::format("only logarithmic reads it; codes are {}", name));
  }
  if (scheme.codes != Codes::two_range) {
    section.idle("split", fmt::format("only two_range reads it; codes are {}", name));
  }
  if (scheme.codes == Codes::uniform) return;
  section.idle("symmetric", fmt::format("{} codes are never negative", name));
  scheme.symmetric = false;
}

void read_gptq(const SectionReader& section, TensorScheme& weights) {
  const SectionReader gptq = section.section("gptq");
  take(weights.gptq.damping, gptq.number("damping", smallest_damping, 1.0));
  take(weights.gptq.activation_order, gptq.boolean("activation_order"));
  take(weights.gptq.static_groups, gptq.boolean("static_groups"));
  if (weights.rounding != Rounding::gptq) {
    section.idle("gptq", fmt::format("only rounding gptq reads it; rounding is {}",
                                     name_of(weights.rounding)));
  } else if (weights.granularity != Granularity::per_group) {
    gptq.idle("static_groups", fmt::format("only per_group reads it; granularity is {}",
                                           name_of(weights.granularity)));
  }
}

TensorScheme read_tensor_scheme(const SectionReader& section, TensorScheme scheme,
                                Tensors tensors) {
  const bool activations = tensors != Tensors::weights;
  take(scheme.bits, section.integer("bits", 2, activations ? unquantized_bits : 8));
  if (activations && !is_quantized(scheme)) {
    for (const char* key : {"granularity", "symmetric", "range", "rounding", "group_size", "codes",
                            "steps_per_octave", "split"}) {
      section.idle(key, "activations of 16 bits are left as they are");
    }
    return {.bits = unquantized_bits};
  }
  const auto granularity =
      tensors == Tensors::nodes
          ? section.choice("granularity",
                           {Granularity::per_tensor, Granularity::per_channel,
                            Granularity::per_head, Granularity::per_token, Granularity::per_group})
      : activations
          ? section.choice("granularity", {Granularity::per_tensor, Granularity::per_channel,
                                           Granularity::per_token, Granularity::per_group})
          : section.choice("granularity", {Granularity::per_tensor, Granularity::per_channel,
                                           Granularity::per_group});
  take(scheme.granularity, granularity);
  take(scheme.symmetric, section.boolean("symmetric"));
  const auto range =
      activations
          ? section.choice("range", {RangeEstimator::minmax, RangeEstimator::average_minmax})
          : section.choice("range", {RangeEstimator::minmax});
  take(scheme.range, range);
  const auto rounding = activations
                            ? section.choice("rounding", {Rounding::nearest})
                            : section.choice("rounding", {Rounding::nearest, Rounding::gptq});
  take(scheme.rounding, rounding);
  take(scheme.group_size, section.integer("group_size", 1, std::numeric_limits<int>::max()));

  if (tensors == Tensors::nodes) read_codes(section, scheme);

  if (section.has("granularity") && !granularity) return scheme;
  if (!activations && (rounding || !section.has("rounding"))) read_gptq(section, scheme);
  const std::string_view name = name_of(scheme.granularity);
  if (scheme.granularity != Granularity::per_group) {
    section.idle("group_size", fmt::format("only per_group reads it; granularity is {}", name));
  }
  if (activations && is_dynamic(scheme)) {
    section.idle("range", fmt::format("{} ranges are found anew for each input", name));
    if (!range) scheme.range = RangeEstimator::minmax;
  }
  return scheme;
}

Scheme read_named_scheme(const SectionReader& section, std::string_view key) {
  const auto name = section.one_of(key, scheme_names());
  return name ? scheme_named(*name).value_or(Scheme{}) : Scheme{};
}

// Entries start from the activations' scheme. One of the same pattern as a named scheme's takes
// its place, at the end.
void read_nodes(const SectionReader& section, std::vector<Fault>& faults, Scheme& scheme) {
  const YamlValue* nodes = section.find("nodes");
  if (nodes == nullptr) return;
  if (nodes->kind != YamlValue::Kind::map || nodes->entries.empty()) {
    section.wrong("nodes", fmt::format("expected a section of nodes, such as "
                                       "{{attention.probabilities: {{granularity: per_token}}}}; "
                                       "got {}",
                                       nodes->kind == YamlValue::Kind::map ? "an empty one"
                                                                           : described(*nodes)));
    return;
  }
  for (const YamlEntry& entry : nodes->entries) {
    const SectionReader node(&entry.value, entry.place, "scheme.nodes." + one_line(entry.key),
                             faults);
    std::erase_if(scheme.nodes, [&](const NodeScheme& own) { return own.pattern == entry.key; });
    scheme.nodes.push_back(
        {entry.key, read_tensor_scheme(node, scheme.activations, Tensors::nodes)});
  }
}

}  // namespace

Scheme read_scheme(const SectionReader& root, std::vector<Fault>& faults) {
  const YamlValue* value = root.find("scheme");
  if (value != nullptr && value->kind == YamlValue::Kind::text) {
    return read_named_scheme(root, "scheme");
  }
  const std::size_t faults_before = faults.size();
  const SectionReader section = root.section("scheme");
  Scheme scheme = read_named_scheme(section, "name");
  scheme.weights = read_tensor_scheme(section.section("weights"), scheme.weights, Tensors::weights);
  scheme.activations =
      read_tensor_scheme(section.section("activations"), scheme.activations, Tensors::activations);
  take(scheme.propagate,
       section.choice("propagate", {Propagate::quantized, Propagate::full_precision}));
  read_nodes(section, faults, scheme);
  take(scheme.keep, section.texts("keep"));
  if (faults.size() == faults_before) {
    for (auto& fault : faults_of(scheme)) section.wrong("", std::move(fault));
  }
  return scheme;
}

}  // namespace evenkeel
