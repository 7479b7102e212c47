#include "calib/score_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace evenkeel {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::array metrics{Metric::perplexity, Metric::accuracy, Metric::normalized_accuracy,
                             Metric::f1,         Metric::matthews, Metric::pearson,
                             Metric::spearman};

}  // namespace

Metric metric_from(const Json& json) {
  const auto name = json.get<std::string>();
  const auto found =
      std::ranges::find(metrics, name, [](Metric metric) { return name_of(metric); });
  if (found == metrics.end()) {
    throw Json::other_error::create(501, "no metric: " + name, &json);
  }
  return *found;
}

Json kept_json(const std::vector<TextScore>& scores) {
  Json json = Json::array();
  for (const TextScore& score : scores) {
    Json others = Json::array();
    for (const Figure& other : score.others) {
      others.push_back(
          {{"metric", name_of(other.metric)}, {"value", other.value}, {"terms", other.terms}});
    }
    json.push_back({{"label", score.label},
                    {"value", score.value},
                    {"examples", score.examples},
                    {"correct", score.correct},
                    {"metric", name_of(score.metric)},
                    {"terms", score.terms},
                    {"others", std::move(others)},
                    {"task", score.task}});
  }
  return json;
}

std::vector<TextScore> scores_from(const Json& json) {
  std::vector<TextScore> scores;
  for (const Json& score : json) {
    scores.push_back({.label = score.at("label").get<std::string>(),
                      .value = score.at("value").get<double>(),
                      .examples = score.at("examples").get<std::int64_t>(),
                      .correct = score.at("correct").get<std::int64_t>(),
                      .metric = metric_from(score.at("metric")),
                      .terms = score.at("terms").get<std::vector<double>>()});
    score.at("task").get_to(scores.back().task);
    for (const Json& other : score.at("others")) {
      scores.back().others.push_back({.metric = metric_from(other.at("metric")),
                                      .value = other.at("value").get<double>(),
                                      .terms = other.at("terms").get<std::vector<double>>()});
    }
  }
  return scores;
}

Json task_json(const TextScore& score) {
  Json json = Json::object();
  Json errors = Json::object();
  for (const Figure& figure : all_figures(score)) {
    json[name_of(figure.metric)] = figure.value;
    errors[name_of(figure.metric)] = standard_error(figure);
  }
  json["standard_error"] = std::move(errors);
  json["examples"] = score.examples;
  return json;
}

void put_scores(const std::vector<TextScore>& scores, Metric metric, Json& json) {
  const auto text =
      std::ranges::find_if(scores, [](const TextScore& score) { return score.task.empty(); });
  if (text != scores.end() || scores.empty()) {
    Json& texts = json[name_of(text == scores.end() ? metric : text->metric)] = Json::object();
    for (const TextScore& score : scores) {
      if (score.task.empty()) texts[score.label] = score.value;
    }
  }
  for (const TextScore& score : scores) {
    if (!score.task.empty())
      json["tasks"][score.label] = score.terms.empty() ? Json(score.value) : task_json(score);
  }
}

}  // namespace evenkeel
