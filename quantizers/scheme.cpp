#include "quantizers/scheme.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

template <class Value, std::size_t size>
using Spellings = std::array<std::pair<Value, std::string_view>, size>;

constexpr Spellings<Granularity, 7> granularities{
    {{Granularity::per_tensor, "per_tensor"},
     {Granularity::per_channel, "per_channel"},
     {Granularity::per_token, "per_token"},
     {Granularity::per_group, "per_group"},
     {Granularity::per_head, "per_head"},
     {Granularity::per_block, "per_block"},
     {Granularity::per_embedding_group, "per_embedding_group"}}};
constexpr Spellings<Rounding, 2> roundings{
    {{Rounding::nearest, "nearest"}, {Rounding::gptq, "gptq"}}};
constexpr Spellings<Propagate, 2> propagates{
    {{Propagate::quantized, "quantized"}, {Propagate::full_precision, "full_precision"}}};

constexpr Spellings<Codes, 9> all_codes{{{Codes::uniform, "uniform"},
                                         {Codes::logarithmic, "logarithmic"},
                                         {Codes::two_range, "two_range"},
                                         {Codes::linear, "linear"},
                                         {Codes::floating, "float"},
                                         {Codes::dynamic, "dynamic"},
                                         {Codes::quantile, "quantile"},
                                         {Codes::nf4, "nf4"},
                                         {Codes::fp4, "fp4"}}};

template <class Table, class Value>
std::string_view spelling(const Table& table, Value value) {
  const auto found =
      std::ranges::find_if(table, [value](const auto& entry) { return entry.first == value; });
  return found == table.end() ? std::string_view{} : found->second;
}

template <class Value, std::size_t size>
std::optional<Value> value_named(const Spellings<Value, size>& table, std::string_view name) {
  const auto found =
      std::ranges::find_if(table, [name](const auto& entry) { return entry.second == name; });
  if (found == table.end()) return std::nullopt;
  return found->first;
}

Scheme integers(int bits) {
  Scheme scheme;
  scheme.weights.bits = scheme.activations.bits = bits;
  return scheme;
}

Scheme weights_alone(int bits, Granularity granularity) {
  Scheme scheme;
  scheme.weights = {.bits = bits, .granularity = granularity, .symmetric = true};
  scheme.activations = {.bits = unquantized_bits};
  return scheme;
}

Scheme code_book(Codes codes) {
  Scheme scheme = weights_alone(4, Granularity::per_block);
  scheme.weights.symmetric = false;
  scheme.weights.codes = codes;
  return scheme;
}

Scheme symmetric_integers(Granularity weights, Granularity activations) {
  Scheme scheme;
  scheme.weights = {.bits = 8, .granularity = weights, .symmetric = true};
  scheme.activations = {.bits = 8, .granularity = activations, .symmetric = true};
  return scheme;
}

// Ranges found anew for each token, also of each row of the probabilities: measured on models with
// outlier channels, they are what costs least.
Scheme recommended(int bits) {
  Scheme scheme = integers(bits);
  scheme.activations.granularity = Granularity::per_token;
  scheme.activations.range = RangeEstimator::minmax;
  if (bits > 4) return scheme;
  // So few codes need ranges of fewer values, and codes for probabilities that reach small ones.
  scheme.activations.granularity = scheme.weights.granularity = Granularity::per_group;
  scheme.activations.group_size = scheme.weights.group_size = 32;
  scheme.weights.rounding = Rounding::gptq;
  const TensorScheme probabilities{
      .bits = bits, .granularity = Granularity::per_token, .codes = Codes::logarithmic};
  scheme.nodes = {{"attention.probabilities", probabilities}};
  return scheme;
}

Scheme llm_int8() {
  Scheme scheme = symmetric_integers(Granularity::per_channel, Granularity::per_token);
  scheme.activations.outlier_threshold = 6.0;
  return scheme;
}

const std::vector<std::pair<std::string, Scheme>>& named_schemes() {
  using enum Granularity;
  static const std::vector<std::pair<std::string, Scheme>> named{
      {"w8a8", integers(8)},
      {"w6a6", integers(6)},
      {"w4a4", integers(4)},
      {"w8a16", weights_alone(8, per_channel)},
      {"w4a16", weights_alone(4, per_group)},
      {"w4_column_wise", weights_alone(4, per_channel)},
      {"nf4", code_book(Codes::nf4)},
      {"fp4", code_book(Codes::fp4)},
      {"naive_w8a8", symmetric_integers(per_tensor, per_tensor)},
      {"vector_wise", symmetric_integers(per_channel, per_token)},
      {"zeroquant_w8a8", symmetric_integers(per_group, per_token)},
      {"llm_int8", llm_int8()},

      {"recommended_w8a8", recommended(8)},
      {"recommended_w6a6", recommended(6)},
      {"recommended_w4a4", recommended(4)}};
  return named;
}

}  // namespace

std::optional<Scheme> scheme_named(std::string_view name) {
  for (const auto& [known, scheme] : named_schemes()) {
    if (known == name) return scheme;
  }
  return std::nullopt;
}

const std::vector<std::string>& scheme_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, scheme] : named_schemes()) all.push_back(name);
    return all;
  }();
  return names;
}

std::optional<std::string> name_of(const Scheme& scheme) {
  for (const auto& name : scheme_names()) {
    if (scheme_named(name) == scheme) return name;
  }
  return std::nullopt;
}

bool is_dynamic(const TensorScheme& activations) {
  return !is_quantized(activations) || activations.granularity == Granularity::per_token ||
         activations.granularity == Granularity::per_group;
}

bool is_dynamic(const Scheme& scheme) {
  return is_dynamic(scheme.activations) && std::ranges::all_of(scheme.nodes, [](const auto& node) {
           return is_dynamic(node.scheme);
         });
}

bool averages_batches(const Scheme& scheme) {
  const auto averages = [](const TensorScheme& activations) {
    return !is_dynamic(activations) && method_of(activations.range).reads_batches;
  };
  return averages(scheme.activations) ||
         std::ranges::any_of(scheme.nodes, [&](const auto& node) { return averages(node.scheme); });
}

std::string_view name_of(Granularity value) { return spelling(granularities, value); }
std::string_view name_of(RangeEstimator value) { return method_of(value).name; }
std::string_view name_of(Rounding value) { return spelling(roundings, value); }
std::string_view name_of(Propagate value) { return spelling(propagates, value); }
std::string_view name_of(Codes value) { return spelling(all_codes, value); }

std::optional<Granularity> granularity_named(std::string_view name) {
  return value_named(granularities, name);
}
std::optional<RangeEstimator> range_estimator_named(std::string_view name) {
  const auto found = std::ranges::find(range_methods(), name, &RangeMethod::name);
  if (found == range_methods().end()) return std::nullopt;
  return (*found)->id;
}
std::optional<Rounding> rounding_named(std::string_view name) {
  return value_named(roundings, name);
}
std::optional<Propagate> propagate_named(std::string_view name) {
  return value_named(propagates, name);
}
std::optional<Codes> codes_named(std::string_view name) { return value_named(all_codes, name); }

}  // namespace evenkeel
