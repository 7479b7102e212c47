#include "calib/analysis/similarity_charts.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "calib/analysis/analysis_tables.h"

namespace evenkeel {
namespace {

CaptionedChart map_chart(const std::string& title, const AnalyzedModel& model,
                         std::string value_name,
                         const std::function<double(const Similarity&)>& figure, double of_itself) {
  const std::size_t sets = model.sets.size();
  return {.chart = {.name = chart_name(title),
                    .title = title,
                    .x_name = "set",
                    .y_name = "set",
                    .plot = HeatMap{.rows = sets,
                                    .columns = sets,
                                    .values = set_matrix(model, figure, of_itself),
                                    .value_name = std::move(value_name)}},
          .caption = "Sets by their numbers in the first table."};
}

}  // namespace

std::vector<CaptionedChart> similarity_maps(const AnalysisResult& result, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  if (own.sets.size() < 3) return {};
  return {map_chart(
              titled(result, model, "distance of ranges"), own, "distance, 0 to 2",
              [](const Similarity& each) { return each.distance; }, 0.0),
          map_chart(
              titled(result, model, "correlation of maxima"), own, "correlation",
              [](const Similarity& each) {
                return each.maxima.value_or(std::numeric_limits<double>::quiet_NaN());
              },
              1.0)};
}

TextTable similarity_table(const AnalysisResult& result) {
  TextTable table = AnalysisTables(result, false).pairs();
  std::vector<double> distances;  // of the rows, in their order
  for (const AnalyzedModel& model : result.models) {
    for (const AnalyzedPair& pair : model.pairs) {
      distances.push_back(pair.similarity.overall.distance);
    }
  }
  std::vector<std::size_t> order(distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return distances[i]; });
  std::vector<std::vector<std::string>> rows;
  rows.reserve(order.size());
  for (const std::size_t i : order) rows.push_back(std::move(table.rows[i]));
  table.rows = std::move(rows);
  return table;
}

}  // namespace evenkeel
