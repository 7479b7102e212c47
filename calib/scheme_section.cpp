#include "calib/scheme_section.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "io/one_line.h"
#include "quantizers/range_method.h"
#include "quantizers/scheme_options.h"

namespace evenkeel {
namespace {

using Place = SchemeOption::Place;  // weights are Place::tensors, as they have no more

void take_option(const SectionReader& section, const SchemeOption& option, TensorScheme& scheme,
                 int TensorScheme::*member) {
  take(scheme.*member, section.integer(option.key, static_cast<std::int64_t>(option.low),
                                       static_cast<std::int64_t>(option.high)));
}
void take_option(const SectionReader& section, const SchemeOption& option, TensorScheme& scheme,
                 double TensorScheme::*member) {
  take(scheme.*member, section.number(option.key, option.low, option.high));
}
void take_option(const SectionReader& section, const SchemeOption& option, TensorScheme& scheme,
                 bool TensorScheme::*member) {
  take(scheme.*member, section.boolean(option.key));
}
void take_option(const SectionReader& section, const SchemeOption& option, TensorScheme& scheme,
                 std::optional<double> TensorScheme::*member) {
  const YamlValue* given = section.find(option.key);
  if (given != nullptr && given->kind == YamlValue::Kind::text && given->text == "search") {
    (scheme.*member).reset();
  } else if (const auto number =
                 section.number(option.key, option.low, option.high, " or search")) {
    scheme.*member = number;
  }
}

// `named` is what the activations of the scheme of that name are. What it does there, such as
// leaving out columns, is not dropped because another choice is made: a 0 has to say so.
void read_options(const SectionReader& section, const TensorScheme& named, TensorScheme& scheme,
                  Place place) {
  for (const SchemeOption& option : scheme_options()) {
    if (!stands_at(option, place)) continue;
    std::visit([&](auto member) { take_option(section, option, scheme, member); }, option.member);
    if (is_read(option, scheme)) continue;
    const bool dropped =
        place == Place::activations && option.zero_is_none && is_written(option, named);
    if (!dropped) {
      section.idle(option.key, why_idle(option, scheme));
    } else if (const auto* member = std::get_if<double TensorScheme::*>(&option.member);
               member != nullptr && scheme.**member != 0.0) {
      section.wrong(option.key,
                    fmt::format("{} of the named scheme cannot take effect: {}; write {}: 0 to "
                                "do without it",
                                scheme.**member, why_idle(option, scheme), option.key));
    }
  }
}

std::optional<Granularity> read_granularity(const SectionReader& section, Place place) {
  using enum Granularity;
  constexpr std::string_view key = "granularity";
  switch (place) {
    case Place::tensors:
      return section.choice(key, {per_tensor, per_channel, per_group, per_block});
    case Place::activations:
      return section.choice(key,
                            {per_tensor, per_channel, per_embedding_group, per_token, per_group});
    case Place::nodes:
      return section.choice(
          key, {per_tensor, per_channel, per_embedding_group, per_head, per_token, per_group});
  }
  return std::nullopt;
}

std::optional<RangeEstimator> read_range(const SectionReader& section, Place place) {
  std::vector<std::string> names;
  for (const RangeMethod* method : range_methods()) {
    const bool static_alone = method->of_values == nullptr;
    if (place != Place::tensors || !static_alone) names.emplace_back(method->name);
  }
  const auto name = section.one_of("range", names);
  return name ? range_estimator_named(*name) : std::nullopt;
}

// Nodes and weights have codes of another kind than uniform, each their own.
void read_codes(const SectionReader& section, TensorScheme& scheme, Place place) {
  using enum Codes;
  if (place == Place::activations) return;
  const auto given =
      place == Place::nodes
          ? section.choice("codes", {uniform, logarithmic, two_range})
          : section.choice("codes", {uniform, linear, floating, dynamic, quantile, nf4, fp4});
  take(scheme.codes, given);
  // Blocks are a code book's, of which this is the plainest.
  if (!section.has("codes") && scheme.granularity == Granularity::per_block) scheme.codes = linear;
  if (scheme.codes == uniform) return;
  section.idle("symmetric",
               fmt::format("{} codes are {}", name_of(scheme.codes),
                           place == Place::nodes ? "never negative" : "those of their code book"));
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

TensorScheme read_tensor_scheme(const SectionReader& section, TensorScheme scheme, Place place) {
  const bool activations = place != Place::tensors;
  const TensorScheme named = scheme;
  take(scheme.bits, section.integer("bits", 2, activations ? unquantized_bits : 8));
  if (activations && !is_quantized(scheme)) {
    constexpr std::string_view why = "activations of 16 bits are left as they are";
    for (const char* key : {"granularity", "symmetric", "range", "rounding", "codes"}) {
      section.idle(key, std::string(why));
    }
    for (const SchemeOption& option : scheme_options()) section.idle(option.key, std::string(why));
    return {.bits = unquantized_bits};
  }
  const auto granularity = read_granularity(section, place);
  take(scheme.granularity, granularity);
  take(scheme.symmetric, section.boolean("symmetric"));
  const auto range = read_range(section, place);
  take(scheme.range, range);
  const auto rounding = activations
                            ? section.choice("rounding", {Rounding::nearest})
                            : section.choice("rounding", {Rounding::nearest, Rounding::gptq});
  take(scheme.rounding, rounding);
  read_codes(section, scheme, place);

  // What reads a number is not known when its choice could not be read.
  if (section.has("granularity") && !granularity) return scheme;
  if (section.has("range") && !range) return scheme;
  if (activations && is_dynamic(scheme) && method_of(scheme.range).of_values == nullptr) {
    section.idle("range", fmt::format("{} ranges are found anew for each input",
                                      name_of(scheme.granularity)));
    scheme.range = RangeEstimator::minmax;
  }
  read_options(section, named, scheme, place);
  if (!activations && (rounding || !section.has("rounding"))) read_gptq(section, scheme);
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
    const auto replaced = std::erase_if(
        scheme.nodes, [&](const NodeScheme& own) { return own.pattern == entry.key; });
    const TensorScheme own = read_tensor_scheme(node, scheme.activations, Place::nodes);
    // Takes out what the named scheme has there, and would do nothing else.
    const bool only_removes = replaced > 0 && scheme.nodes.empty() && !is_quantized(own) &&
                              !is_quantized(scheme.activations);
    if (!only_removes) scheme.nodes.push_back({entry.key, own});
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
  scheme.weights = read_tensor_scheme(section.section("weights"), scheme.weights, Place::tensors);
  scheme.activations =
      read_tensor_scheme(section.section("activations"), scheme.activations, Place::activations);
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
