#include "transforms/options.h"

#include <array>

#include <fmt/format.h>

namespace evenkeel {
namespace {

constexpr std::array methods{Method::none, Method::smoothquant, Method::outlier_suppression,
                             Method::os_plus, Method::awq};
constexpr std::array searches{Search::exact, Search::exhaustive, Search::fast};
constexpr std::array search_objectives{SearchObjective::attention, SearchObjective::linear};
constexpr std::array site_kinds{SiteKind::attention, SiteKind::mlp, SiteKind::output,
                                SiteKind::down};

template <typename Choices>
auto choice_named(const Choices& choices, std::string_view name)
    -> std::optional<typename Choices::value_type> {
  for (const auto choice : choices) {
    if (name_of(choice) == name) return choice;
  }
  return std::nullopt;
}

template <typename Choices>
std::vector<std::string> names_of(const Choices& choices) {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto choice : choices) names.emplace_back(name_of(choice));
  return names;
}

}  // namespace

std::string_view name_of(Method value) {
  switch (value) {
    case Method::none:
      return "none";
    case Method::smoothquant:
      return "smoothquant";
    case Method::outlier_suppression:
      return "outlier_suppression";
    case Method::awq:
      return "awq";
    case Method::os_plus:
      return "os_plus";
  }
  return "";
}

std::string_view name_of(Search value) {
  switch (value) {
    case Search::exact:
      return "exact";
    case Search::exhaustive:
      return "exhaustive";
    case Search::fast:
      return "fast";
  }
  return "";
}

std::string_view name_of(SiteKind value) {
  switch (value) {
    case SiteKind::attention:
      return "attention";
    case SiteKind::mlp:
      return "mlp";
    case SiteKind::output:
      return "output";
    case SiteKind::down:
      return "down";
  }
  return "";
}

std::string_view name_of(SearchObjective value) {
  switch (value) {
    case SearchObjective::attention:
      return "attention";
    case SearchObjective::linear:
      return "linear";
  }
  return "";
}

std::optional<SearchObjective> search_objective_named(std::string_view name) {
  return choice_named(search_objectives, name);
}

std::optional<Method> method_named(std::string_view name) { return choice_named(methods, name); }

std::optional<Search> search_named(std::string_view name) { return choice_named(searches, name); }

std::optional<SiteKind> site_kind_named(std::string_view name) {
  return choice_named(site_kinds, name);
}

const std::vector<std::string>& method_names() {
  static const std::vector<std::string> names = names_of(methods);
  return names;
}

const std::vector<std::string>& search_names() {
  static const std::vector<std::string> names = names_of(searches);
  return names;
}

const std::vector<std::string>& site_kind_names() {
  static const std::vector<std::string> names = names_of(site_kinds);
  return names;
}

bool clips(const TransformOptions& options, const TensorScheme& weights) {
  return options.clip.value_or(options.method == Method::awq &&
                               weights.granularity != Granularity::per_tensor &&
                               !is_signed_book(weights.codes));
}

std::vector<std::string> faults_of(const TransformOptions& options) {
  std::vector<std::string> faults;
  if (name_of(options.method).empty()) {
    faults.push_back(fmt::format("method: no such choice ({})", static_cast<int>(options.method)));
  }
  if (name_of(options.search).empty()) {
    faults.push_back(fmt::format("search: no such choice ({})", static_cast<int>(options.search)));
  }
  if (name_of(options.objective).empty()) {
    faults.push_back(
        fmt::format("objective: no such choice ({})", static_cast<int>(options.objective)));
  }
  if (options.method == Method::os_plus && !options.shift && !options.scale) {
    faults.emplace_back(
        "scale: false beside shift: false, which leaves os_plus nothing to do; use method none");
  }
  if (options.search_samples < 1) {
    faults.push_back(
        fmt::format("search_samples: expected at least 1, got {}", options.search_samples));
  }
  // Written so that NaN is a fault too.
  if (options.alpha && !(*options.alpha >= 0.0 && *options.alpha <= 1.0)) {
    faults.push_back(fmt::format("alpha: expected a number from 0 to 1, got {}", *options.alpha));
  }
  if (options.sites && options.sites->empty()) {
    faults.emplace_back("sites: expected at least one; method none works on no site");
  }
  return faults;
}

}  // namespace evenkeel
