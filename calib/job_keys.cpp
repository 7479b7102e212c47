#include "calib/job_keys.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quantizers/scheme_options.h"

namespace evenkeel {
namespace {

using Sections = std::map<std::string, std::vector<std::string>, std::less<>>;

// What stands for scheme.nodes.PATTERN, whatever the pattern.
constexpr std::string_view node_prefix = "scheme.nodes.";
constexpr std::string_view node_section = "scheme.nodes.PATTERN";

// Of weights, activations or nodes.
std::vector<std::string> scheme_keys(SchemeOption::Place place) {
  std::vector<std::string> keys{"bits", "granularity", "symmetric", "range", "rounding"};
  if (place != SchemeOption::Place::activations) keys.emplace_back("codes");
  for (const SchemeOption& option : scheme_options()) {
    if (stands_at(option, place)) keys.emplace_back(option.key);
  }
  if (place == SchemeOption::Place::tensors) keys.emplace_back("gptq");
  return keys;
}

const Sections& sections() {
  static const Sections all{
      {"",
       {"model", "calibration", "transform", "scheme", "evaluate", "analyze", "compare", "output",
        "memory_limit"}},
      {"calibration",
       {"corpus", "random", "order", "cut", "samples", "sequence_length", "batch", "seed",
        "seeds"}},
      {"calibration.corpus", {"task", "file", "labels"}},
      {"transform",
       {"method", "search_samples", "search", "shift", "scale", "objective", "outlier_threshold",
        "alpha", "clip", "sites", "plain_layout"}},
      {"scheme", {"name", "weights", "activations", "propagate", "nodes", "keep"}},
      {"scheme.weights", scheme_keys(SchemeOption::Place::tensors)},
      {"scheme.weights.gptq", {"damping", "activation_order", "static_groups"}},
      {"scheme.activations", scheme_keys(SchemeOption::Place::activations)},
      {std::string(node_section), scheme_keys(SchemeOption::Place::nodes)},
      {"evaluate", {"perplexity", "accuracy", "tasks", "sequence_length", "windows", "examples"}},
      {"evaluate.tasks", {"task", "file", "labels", "label"}},
      {"analyze",
       {"outlier_threshold", "outlier_blocks", "outlier_tokens", "pooling", "bits",
        "histogram_bins", "histogram_range"}},
  };
  return all;
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
/// (optimal string alignment).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> now(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const bool same = from[i - 1] == to[j - 1];
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[to.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  // About one slip in three letters; also keeps a hostile, endless word from costing anything.
  std::size_t limit = (word.size() + 1) / 3;
  for (const auto& candidate : known) {
    if (word.size() > candidate.size() + limit || word.size() > 2 * candidate.size()) continue;
    const std::size_t slips = distance(word, candidate);
    if (slips > limit || (best && slips == limit)) continue;
    best = candidate;
    limit = slips;
  }
  return best;
}

}  // namespace

const std::vector<std::string>& known_keys(std::string_view section) {
  static const std::vector<std::string> none;
  const auto found = sections().find(section.starts_with(node_prefix) ? node_section : section);
  return found == sections().end() ? none : found->second;
}

bool is_known_path(std::string_view path) {
  // A pattern has dots of its own; a path cannot say where it ends.
  if (path.starts_with(node_prefix)) return false;
  const std::size_t dot = path.rfind('.');
  const auto section = dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
  const auto key = dot == std::string_view::npos ? path : path.substr(dot + 1);
  return std::ranges::find(known_keys(section), key) != known_keys(section).end();
}

std::string key_path(std::string_view section, std::string_view key) {
  if (section.empty()) return std::string(key);
  return key.empty() ? std::string(section) : fmt::format("{}.{}", section, key);
}

std::string advice_for_unknown_key(std::string_view section, std::string_view key) {
  const auto& known = known_keys(section);
  if (const auto near = nearest(key, known)) return fmt::format("did you mean '{}'?", *near);
  for (const auto& [other, keys] : sections()) {
    if (std::ranges::find(keys, key) != keys.end()) {
      return fmt::format("did you mean '{}'?", key_path(other, key));
    }
  }
  return fmt::format("known keys: {}", fmt::join(known, ", "));
}

}  // namespace evenkeel
