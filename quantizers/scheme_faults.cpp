// What contradicts what in a scheme (quantizers/scheme.h).
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "quantizers/range_method.h"
#include "quantizers/scheme.h"
#include "quantizers/scheme_options.h"

namespace evenkeel {
namespace {

std::vector<std::string> faults_of_both(const TensorScheme& scheme, bool activations) {
  std::vector<std::string> faults;
  const bool left_alone = activations && !is_quantized(scheme);
  if ((scheme.bits < 2 || scheme.bits > 8) && !left_alone) {
    faults.push_back(fmt::format("bits must be 2 to 8{}, not {}",
                                 activations ? ", or 16 to leave them as they are" : "",
                                 scheme.bits));
  }
  for (const SchemeOption& option : scheme_options()) {
    if (!is_read(option, scheme)) continue;
    if (auto fault = fault_of(option, scheme)) faults.push_back(std::move(*fault));
  }
  if (scheme.codes != Codes::uniform && scheme.symmetric) {
    faults.push_back(fmt::format(
        "{} codes are {}, so that symmetric has no meaning; leave it out", name_of(scheme.codes),
        is_signed_book(scheme.codes) ? "a code book's" : "never negative"));
  }
  return faults;
}

std::vector<std::string> fault_of_range(const TensorScheme& scheme, bool activations) {
  auto fault = method_of(scheme.range).fault(scheme, activations);
  if (!fault) return {};
  return {std::move(*fault)};
}

// What only some nodes can have, and no kind of tensor as a whole.
std::vector<std::string> faults_of_whole(const TensorScheme& scheme) {
  std::vector<std::string> faults;
  if (scheme.codes != Codes::uniform && !is_signed_book(scheme.codes)) {
    faults.push_back(
        fmt::format("{} codes are for nodes that are never negative; name them under "
                    "nodes",
                    name_of(scheme.codes)));
  }
  if (scheme.granularity == Granularity::per_head) {
    faults.emplace_back("granularity per_head is for attention.probabilities; name it under nodes");
  }
  return faults;
}

// Of weights: what a signed code book can be, and that blocks are its own.
std::vector<std::string> faults_of_book(const TensorScheme& weights) {
  std::vector<std::string> faults;
  if (!is_signed_book(weights.codes)) {
    if (weights.granularity == Granularity::per_block) {
      faults.push_back(
          fmt::format("granularity per_block needs a code book; use codes: linear, float, dynamic, "
                      "quantile, nf4 or fp4 in place of {}",
                      name_of(weights.codes)));
    }
    return faults;
  }
  const std::string_view name = name_of(weights.codes);
  const auto needs = [&](std::string_view key, std::string_view wanted, std::string_view given) {
    if (wanted != given) faults.push_back(fmt::format("{} codes need {} {}", name, key, wanted));
  };
  needs("range", name_of(RangeEstimator::minmax), name_of(weights.range));
  if (weights.rounding == Rounding::gptq && (weights.centered || weights.proxy_percent > 0.0)) {
    faults.emplace_back(
        "rounding gptq knows neither centered nor proxy_percent; leave these out, or use nearest");
  }
  if ((weights.codes == Codes::nf4 || weights.codes == Codes::fp4) && weights.bits != 4) {
    faults.push_back(fmt::format("{} codes have 4 bits, not {}", name, weights.bits));
  }
  const bool any_bits = weights.codes == Codes::linear || weights.codes == Codes::quantile;
  if (!any_bits && weights.bits < 3) {
    faults.push_back(fmt::format("{} codes of {} bits do not exist; use linear or quantile", name,
                                 weights.bits));
  }
  if (weights.codes != Codes::floating) return faults;
  if (weights.paper_exponents && weights.exponent_bits > 0) {
    faults.emplace_back("exponent_bits stands beside paper_exponents; give one of them");
  }
  if (weights.exponent_bits >= weights.bits) {
    faults.push_back(fmt::format("exponent_bits must be 1 to {}, one less than bits, not {}",
                                 weights.bits - 1, weights.exponent_bits));
  }
  return faults;
}

std::vector<std::string> faults_of_gptq(const TensorScheme& weights) {
  std::vector<std::string> faults;
  const GptqOptions& gptq = weights.gptq;
  if (!(gptq.damping >= smallest_damping && gptq.damping <= 1.0)) {
    faults.push_back(
        fmt::format("gptq.damping must be {} to 1, not {}", smallest_damping, gptq.damping));
  }
  if (weights.granularity == Granularity::per_group && gptq.activation_order &&
      !gptq.static_groups) {
    faults.emplace_back(
        "gptq.activation_order needs static_groups: groups of columns in another order "
        "have no place in a checkpoint; set activation_order: false or static_groups: true");
  }
  return faults;
}

std::vector<std::string> faults_of_activations(const TensorScheme& scheme) {
  std::vector<std::string> faults = faults_of_both(scheme, true);
  if (is_quantized(scheme)) {
    for (auto& fault : fault_of_range(scheme, true)) faults.push_back(std::move(fault));
  }
  if (scheme.rounding == Rounding::gptq) {
    faults.emplace_back("rounding gptq is for weights; use nearest");
  }
  if (is_signed_book(scheme.codes)) {
    faults.push_back(fmt::format("{} codes are for weights; use uniform", name_of(scheme.codes)));
  }
  if (scheme.granularity == Granularity::per_block) {
    faults.emplace_back("granularity per_block is for weights; use per_group");
  }
  return faults;
}

void append(std::vector<std::string>& faults, std::string_view where,
            const std::vector<std::string>& more) {
  for (const std::string& fault : more) faults.push_back(fmt::format("{}: {}", where, fault));
}

}  // namespace

std::vector<std::string> faults_of(const Scheme& scheme) {
  std::vector<std::string> faults;
  append(faults, "weights", faults_of_both(scheme.weights, false));
  append(faults, "weights", faults_of_whole(scheme.weights));
  const Granularity of_weights = scheme.weights.granularity;
  if (of_weights == Granularity::per_token || of_weights == Granularity::per_embedding_group) {
    faults.push_back(
        fmt::format("weights: granularity {} is for activations; "
                    "use per_channel, per_group or per_tensor",
                    name_of(of_weights)));
  }
  append(faults, "weights", faults_of_book(scheme.weights));
  append(faults, "weights", fault_of_range(scheme.weights, false));
  if (scheme.weights.rounding == Rounding::gptq) {
    append(faults, "weights", faults_of_gptq(scheme.weights));
  }
  append(faults, "activations", faults_of_activations(scheme.activations));
  append(faults, "activations", faults_of_whole(scheme.activations));
  for (const NodeScheme& node : scheme.nodes) {
    append(faults, fmt::format("nodes.{}", node.pattern), faults_of_activations(node.scheme));
  }
  return faults;
}

}  // namespace evenkeel
