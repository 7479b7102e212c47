// Prints the figures of labels and predictions with their standard errors, so that a test in Python
// can compare them with NumPy's. Reads one JSON object from stdin: {"labels": [..], "predictions":
// [..], "classes": n}, {"values": [..], "predictions": [..]} or {"metric": "perplexity", "terms":
// [..]}.
#include <iostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/figures_of.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Figure> figures_of(const Json& task) {
  if (task.contains("labels")) {
    return class_figures(task.at("labels").get<std::vector<Index>>(),
                         task.at("predictions").get<std::vector<Index>>(),
                         task.at("classes").get<Index>());
  }
  if (task.contains("values")) {
    return value_figures(task.at("values").get<std::vector<double>>(),
                         task.at("predictions").get<std::vector<double>>());
  }
  const bool perplexity = task.at("metric") == "perplexity";
  return {mean_figure(perplexity ? Metric::perplexity : Metric::normalized_accuracy,
                      task.at("terms").get<std::vector<double>>())};
}

Json to_json(const std::vector<Figure>& figures) {
  Json json;
  for (const Figure& figure : figures) {
    json[name_of(figure.metric)] = {{"value", figure.value},
                                    {"standard_error", standard_error(figure)},
                                    {"terms", figure.terms}};
  }
  return json;
}

}  // namespace
}  // namespace evenkeel

int main() {
  try {
    std::cout << evenkeel::to_json(evenkeel::figures_of(evenkeel::Json::parse(std::cin))) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
