#include "calib/analysis/report_choice.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/one_line.h"

namespace evenkeel {

std::vector<std::size_t> shown_blocks(std::size_t blocks) {
  std::vector<std::size_t> shown{0, blocks / 2, blocks - 1};
  const auto same = std::ranges::unique(shown);
  shown.erase(same.begin(), same.end());
  return shown;
}

std::vector<std::size_t> shown_sets(const AnalysisResult& result, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  if (own.sets.size() == 1 || result.models.size() > 1) return {0};
  std::size_t furthest = 1;
  double distance = -1.0;
  for (const AnalyzedPair& pair : own.pairs) {
    if (pair.first != 0 || pair.similarity.overall.distance <= distance) continue;
    furthest = pair.second;
    distance = pair.similarity.overall.distance;
  }
  return {0, furthest};
}

std::string titled(const AnalysisResult& result, std::size_t model, std::string_view what) {
  if (result.models.size() == 1) return std::string(what);
  return fmt::format("{}: {}", one_line(result.models[model].label), what);
}

std::string of_set(const AnalyzedModel& model, std::size_t set, std::string_view what) {
  if (model.sets.size() == 1) return std::string(what);
  return fmt::format("{}, {}", what, one_line(model.sets[set].label));
}

}  // namespace evenkeel
