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

namespace evenkeel {
namespace {

template <class Value, std::size_t size>
using Spellings = std::array<std::pair<Value, std::string_view>, size>;

constexpr Spellings<Granularity, 4> granularities{{{Granularity::per_tensor, "per_tensor"},
                                                   {Granularity::per_channel, "per_channel"},
                                                   {Granularity::per_token, "per_token"},
                                                   {Granularity::per_group, "per_group"}}};
constexpr Spellings<RangeEstimator, 2> range_estimators{
    {{RangeEstimator::minmax, "minmax"}, {RangeEstimator::average_minmax, "average_minmax"}}};
constexpr Spellings<Rounding, 1> roundings{{{Rounding::nearest, "nearest"}}};
constexpr Spellings<Propagate, 2> propagates{
    {{Propagate::quantized, "quantized"}, {Propagate::full_precision, "full_precision"}}};

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

constexpr std::array<std::pair<std::string_view, int>, 3> named_bits{
    {{"w8a8", 8}, {"w6a6", 6}, {"w4a4", 4}}};

std::vector<std::string> faults_of_both(const TensorScheme& scheme) {
  std::vector<std::string> faults;
  if (scheme.bits < 2 || scheme.bits > 8) {
    faults.push_back(fmt::format("bits must be 2 to 8, not {}", scheme.bits));
  }
  if (scheme.granularity == Granularity::per_group && scheme.group_size < 1) {
    faults.push_back(fmt::format("group_size must be at least 1, not {}", scheme.group_size));
  }
  return faults;
}

}  // namespace

std::optional<Scheme> scheme_named(std::string_view name) {
  const auto* found =
      std::ranges::find_if(named_bits, [name](const auto& entry) { return entry.first == name; });
  if (found == named_bits.end()) return std::nullopt;
  Scheme scheme;
  scheme.weights.bits = found->second;
  scheme.activations.bits = found->second;
  return scheme;
}

const std::vector<std::string>& scheme_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(named_bits.size());
    for (const auto& [name, bits] : named_bits) all.emplace_back(name);
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
  return activations.granularity == Granularity::per_token ||
         activations.granularity == Granularity::per_group;
}

std::vector<std::string> faults_of(const Scheme& scheme) {
  std::vector<std::string> faults;
  for (const auto& fault : faults_of_both(scheme.weights)) faults.push_back("weights: " + fault);
  if (scheme.weights.granularity == Granularity::per_token) {
    faults.emplace_back(
        "weights: granularity per_token is for activations; "
        "use per_channel, per_group or per_tensor");
  }
  if (scheme.weights.range != RangeEstimator::minmax) {
    faults.push_back(fmt::format("weights: range {} is for activations; use minmax",
                                 name_of(scheme.weights.range)));
  }
  for (const auto& fault : faults_of_both(scheme.activations)) {
    faults.push_back("activations: " + fault);
  }
  return faults;
}

std::string_view name_of(Granularity value) { return spelling(granularities, value); }
std::string_view name_of(RangeEstimator value) { return spelling(range_estimators, value); }
std::string_view name_of(Rounding value) { return spelling(roundings, value); }
std::string_view name_of(Propagate value) { return spelling(propagates, value); }

std::optional<Granularity> granularity_named(std::string_view name) {
  return value_named(granularities, name);
}
std::optional<RangeEstimator> range_estimator_named(std::string_view name) {
  return value_named(range_estimators, name);
}
std::optional<Rounding> rounding_named(std::string_view name) {
  return value_named(roundings, name);
}
std::optional<Propagate> propagate_named(std::string_view name) {
  return value_named(propagates, name);
}

}  // namespace evenkeel
