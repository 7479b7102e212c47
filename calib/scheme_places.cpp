#include "calib/scheme_places.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/one_line.h"

namespace evenkeel {
namespace {

// Goes back to the last star alone, so that no pattern takes more than pattern * name steps.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < name.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = i;
    } else if (at < pattern.size() && pattern[at] == name[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool names_node(std::string_view pattern, Index block, Node node) {
  return matches(pattern, name_of(node)) ||
         matches(pattern, fmt::format("blocks.{}.{}", block, name_of(node)));
}

bool names_block(std::string_view pattern, Index block) {
  return matches(pattern, fmt::format("blocks.{}", block));
}

bool names_linear(std::string_view pattern, Index block, const StoredLinear& linear) {
  return names_block(pattern, block) || matches(pattern, linear.module);
}

bool keeps(const Scheme& scheme, Index block, Node node) {
  return std::ranges::any_of(scheme.keep, [&](const std::string& pattern) {
    return names_block(pattern, block) || names_node(pattern, block, node);
  });
}

// The entry that holds at a node that is not kept.
std::optional<std::size_t> entry_of(const Scheme& scheme, Index block, Node node) {
  for (std::size_t i = scheme.nodes.size(); i-- > 0;) {
    if (names_node(scheme.nodes[i].pattern, block, node)) return i;
  }
  return std::nullopt;
}

// By how the model computes it, not by what was seen.
bool never_negative(const Architecture& architecture, Node node) {
  return node == Node::attention_probabilities ||
         (node == Node::mlp_hidden && !architecture.gated() &&
          architecture.activation == Activation::relu);
}

bool is_input_of_linears(Node node) {
  return node == Node::attention_input || node == Node::attention_output ||
         node == Node::mlp_input || node == Node::mlp_hidden;
}

std::optional<std::string> fault_of_node(const TensorScheme& scheme, Node node,
                                         const Architecture& architecture) {
  if (!is_quantized(scheme)) return std::nullopt;
  const bool probabilities = node == Node::attention_probabilities;
  if (scheme.codes != Codes::uniform && !never_negative(architecture, node)) {
    return fmt::format("{} codes are for nodes that are never negative; {} of {} can be",
                       name_of(scheme.codes), name_of(node), architecture.model_type);
  }
  if (scheme.codes != Codes::uniform && has_channel_ranges(scheme.granularity)) {
    return fmt::format("{} codes have no range per channel; use per_tensor, per_token or per_group",
                       name_of(scheme.codes));
  }
  if (scheme.granularity == Granularity::per_head && !probabilities) {
    return fmt::format("{} has no heads; per_head is for {}", name_of(node),
                       name_of(Node::attention_probabilities));
  }
  if (has_channel_ranges(scheme.granularity) && probabilities) {
    return fmt::format("{} has no channels; use per_tensor, per_head or per_token", name_of(node));
  }
  if (scheme.range == RangeEstimator::token_wise_clipping && probabilities) {
    return fmt::format("range {} leaves {} alone, as its authors do; use average_minmax",
                       name_of(scheme.range), name_of(node));
  }
  return std::nullopt;
}

std::string all_node_names() {
  std::vector<std::string_view> names;
  names.reserve(all_nodes.size());
  for (const Node node : all_nodes) names.push_back(name_of(node));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string names_that_exist(const Architecture& architecture) {
  return fmt::format(
      "nodes are {} (of every block, or blocks.N.NODE of one, N = 0 .. {}; * stands for any "
      "characters)",
      all_node_names(), architecture.blocks - 1);
}

constexpr std::string_view not_quantized_anyway =
    "has no effect: nothing that it names is quantized anyway; leave it out";

Scheme without_entry(Scheme scheme, std::size_t entry) {
  scheme.nodes.erase(scheme.nodes.begin() + static_cast<std::ptrdiff_t>(entry));
  return scheme;
}

void find_node_faults(const Scheme& scheme, const Architecture& architecture,
                      std::vector<std::string>& faults) {
  std::vector<bool> named(scheme.nodes.size());
  std::vector<bool> holds(scheme.nodes.size());
  std::vector<bool> changes(scheme.nodes.size());  // some node is not as it would be without it
  std::vector<std::optional<std::string>> wrong(scheme.nodes.size());
  std::vector<bool> of_linears(scheme.nodes.size());  // it holds at some input of linears
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const Node node : all_nodes) {
      for (std::size_t i = 0; i < named.size(); ++i) {
        named[i] = named[i] || names_node(scheme.nodes[i].pattern, block, node);
      }
      const auto entry = entry_of(scheme, block, node);
      if (!entry || keeps(scheme, block, node)) continue;
      holds[*entry] = true;
      changes[*entry] = changes[*entry] || is_quantized(scheme.nodes[*entry].scheme) ||
                        is_quantized(scheme_of_node(without_entry(scheme, *entry), block, node));
      of_linears[*entry] = of_linears[*entry] || is_input_of_linears(node);
      if (!wrong[*entry]) {
        wrong[*entry] = fault_of_node(scheme.nodes[*entry].scheme, node, architecture);
      }
    }
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    const std::string where = "nodes." + one_line(scheme.nodes[i].pattern);
    if (!named[i]) {
      faults.push_back(fmt::format("{}: names nothing; {}", where, names_that_exist(architecture)));
    } else if (!holds[i]) {
      faults.push_back(fmt::format(
          "{}: has no effect: each node that it names is kept, or named by a later entry, which "
          "holds; put general entries first",
          where));
    } else if (!changes[i]) {
      faults.push_back(fmt::format("{}: {}", where, not_quantized_anyway));
    } else if (wrong[i]) {
      faults.push_back(fmt::format("{}: {}", where, *wrong[i]));
    } else if (const double own = scheme.nodes[i].scheme.outlier_threshold;
               own > 0.0 && own != scheme.activations.outlier_threshold && !of_linears[i]) {
      faults.push_back(fmt::format(
          "{}: outlier_threshold has no effect: it names no input of linears; leave it out",
          where));
    }
  }
}

// What a pattern of `keep` leads to.
enum class Kept { nothing, unquantized, quantized };

// `scheme` keeps nothing, so that what other patterns keep counts as quantized.
Kept kept_by(std::string_view pattern, const Scheme& scheme, const Architecture& architecture) {
  Kept kept = Kept::nothing;
  for (Index block = 0; block < architecture.blocks; ++block) {
    if (names_block(pattern, block)) return Kept::quantized;
    for (const Node node : all_nodes) {
      if (!names_node(pattern, block, node)) continue;
      if (is_quantized(scheme_of_node(scheme, block, node))) return Kept::quantized;
      kept = Kept::unquantized;
    }
    for (const StoredLinear& linear : stored_linears(architecture, block)) {
      if (is_quantized(linear.role()) && matches(pattern, linear.module)) return Kept::quantized;
    }
  }
  return kept;
}

bool quantizes_something(const Scheme& scheme, const Architecture& architecture) {
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const Node node : all_nodes) {
      if (is_quantized(scheme_of_node(scheme, block, node))) return true;
    }
    if (!quantized_linears(architecture, scheme, block).empty()) return true;
  }
  return false;
}

std::string linear_names(const Architecture& architecture) {
  std::vector<std::string> names;
  for (const StoredLinear& linear : stored_linears(architecture, 0)) {
    if (is_quantized(linear.role())) names.push_back(linear.module);
    if (names.size() == 8) break;  // of a mixture's experts the first will do
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

TensorScheme scheme_of_node(const Scheme& scheme, Index block, Node node) {
  if (keeps(scheme, block, node)) return {.bits = unquantized_bits};
  const auto entry = entry_of(scheme, block, node);
  TensorScheme own = entry ? scheme.nodes[*entry].scheme : scheme.activations;
  if (!is_input_of_linears(node)) own.outlier_threshold = 0.0;
  if (!entry && node == Node::attention_probabilities) {
    if (has_channel_ranges(own.granularity)) own.granularity = Granularity::per_tensor;
    if (own.range == RangeEstimator::token_wise_clipping) {
      own.range = RangeEstimator::average_minmax;
    }
  }
  return own;
}

bool is_quantized(const Scheme& scheme, Index block, const StoredLinear& linear) {
  return is_quantized(linear.role()) &&
         std::ranges::none_of(scheme.keep, [&](const std::string& pattern) {
           return names_linear(pattern, block, linear);
         });
}

std::vector<StoredLinear> quantized_linears(const Architecture& architecture, const Scheme& scheme,
                                            Index block) {
  std::vector<StoredLinear> linears = stored_linears(architecture, block);
  std::erase_if(linears, [&](const auto& linear) { return !is_quantized(scheme, block, linear); });
  return linears;
}

Scheme scheme_of_linear(const Scheme& scheme, Index block, const StoredLinear& linear) {
  Scheme own;
  own.weights = scheme.weights;
  if (!is_quantized(scheme, block, linear)) own.weights = {.bits = unquantized_bits};
  if (!linear.produced) own.weights.proxy_percent = 0.0;
  own.activations = scheme_of_node(scheme, block, input_of(linear.role()));
  own.propagate = scheme.propagate;
  return own;
}

std::vector<std::string> place_faults(const Scheme& scheme, const Architecture& architecture) {
  std::vector<std::string> faults;
  find_node_faults(scheme, architecture, faults);
  Scheme whole = scheme;
  whole.keep.clear();
  for (const std::string& pattern : scheme.keep) {
    const Kept kept = kept_by(pattern, whole, architecture);
    if (kept == Kept::unquantized) {
      faults.push_back(fmt::format("keep: {} {}", in_quotes(pattern), not_quantized_anyway));
    } else if (kept == Kept::nothing) {
      faults.push_back(fmt::format(
          "keep: {} names nothing; {}; blocks are blocks.N; linears of the "
          "first block are {}",
          in_quotes(pattern), names_that_exist(architecture), linear_names(architecture)));
    }
  }
  if (faults.empty() && !quantizes_something(scheme, architecture)) {
    faults.emplace_back("keep: leaves nothing that is quantized; keep less");
  }
  return faults;
}

}  // namespace evenkeel
