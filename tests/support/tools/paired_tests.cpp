// Prints paired differences, so that a test in Python can compare them with SciPy's. Reads one JSON
// object from stdin: {"metric": "accuracy" | "perplexity", "tests": [{"figures": [[term, ..], ..],
// "baselines": [[term, ..], ..]}, ..]}, the terms of each seed; all tests are of one table.
#include <iostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/compare/paired_difference.h"
#include "calib/figures_of.h"
#include "calib/score_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Figure> figures_from(Metric metric, const Json& seeds) {
  std::vector<Figure> figures;
  for (const Json& terms : seeds) {
    figures.push_back(mean_figure(metric, terms.get<std::vector<double>>()));
  }
  return figures;
}

std::vector<PairedDifference> differences_of(const Json& table) {
  const Metric metric = metric_from(table.at("metric"));
  std::vector<PairedDifference> differences;
  for (const Json& test : table.at("tests")) {
    differences.push_back(paired_difference(figures_from(metric, test.at("figures")),
                                            figures_from(metric, test.at("baselines"))));
  }
  std::vector<PairedDifference*> all;
  for (PairedDifference& difference : differences) all.push_back(&difference);
  adjust(all);
  return differences;
}

Json to_json(const std::vector<PairedDifference>& differences) {
  Json json = Json::array();
  for (const PairedDifference& each : differences) {
    json.push_back({{"difference", each.difference},
                    {"standard_error", each.standard_error},
                    {"degrees", each.degrees},
                    {"p_value", each.p_value},
                    {"adjusted_p_value", each.adjusted_p_value}});
  }
  return json;
}

}  // namespace
}  // namespace evenkeel

int main() {
  try {
    std::cout << evenkeel::to_json(evenkeel::differences_of(evenkeel::Json::parse(std::cin)))
              << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
