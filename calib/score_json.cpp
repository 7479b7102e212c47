#include "calib/score_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace evenkeel {

using Json = nlohmann::ordered_json;

double number_from(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

namespace {

std::vector<double> numbers_from(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json) numbers.push_back(number_from(number));
  return numbers;
}

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
                      .value = number_from(score.at("value")),
                      .examples = score.at("examples").get<std::int64_t>(),
                      .correct = score.at("correct").get<std::int64_t>(),
                      .metric = metric_from(score.at("metric")),
                      .terms = numbers_from(score.at("terms"))});
    score.at("task").get_to(scores.back().task);
    for (const Json& other : score.at("others")) {
      scores.back().others.push_back({.metric = metric_from(other.at("metric")),
                                      .value = number_from(other.at("value")),
                                      .terms = numbers_from(other.at("terms"))});
    }
  }
  return scores;
}

std::optional<std::vector<TextScore>> kept_scores_of(const std::optional<Json>& json,
                                                     const std::vector<EvaluationText>& texts) {
  if (!json) return std::nullopt;
  try {
    std::vector<TextScore> scores = scores_from(*json);
    const auto same = [](const TextScore& score, const EvaluationText& text) {
      const bool of_windows = score.task.empty();
      return score.label == text.label && of_windows == !text.task.has_value() &&
             (!of_windows || score.terms.size() == text.windows.size());
    };
    if (!std::ranges::equal(scores, texts, same)) return std::nullopt;
    return scores;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
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
