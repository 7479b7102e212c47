// compare.json.
#include <cmath>
#include <string>

#include "calib/compare/compare.h"
#include "calib/score_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json settings_json(const ComparedRow& row) {
  Json json = Json::object();
  for (const auto& [axis, label] : row.settings) json[axis] = label;
  return json;
}

// By text, then metric.
Json errors_json(const std::vector<TextScore>& scores) {
  Json json = Json::object();
  for (const TextScore& score : scores) {
    Json& own = json[score.label] = {{name_of(score.metric), standard_error(score.figure())}};
    for (const Figure& other : score.others)
      own[std::string(name_of(other.metric))] = standard_error(other);
  }
  return json;
}

Json to_json(const PairedDifference& difference, Metric metric) {
  const bool ratio = metric == Metric::perplexity;
  const double value = ratio ? std::exp(difference.difference) : difference.difference;
  return {{ratio ? "ratio" : "difference", value},
          {"standard_error", difference.standard_error * (ratio ? value : 1.0)},
          {"degrees_of_freedom", difference.degrees},
          {"p", difference.p_value},
          {"adjusted_p", difference.adjusted_p_value}};
}

Json differences_json(const ComparedRow& row, const std::vector<PairedDifference>& differences) {
  Json json = Json::object();
  for (std::size_t i = 0; i < differences.size(); ++i) {
    json[row.scores[i].label] = to_json(differences[i], row.scores[i].metric);
  }
  return json;
}

Json row_json(const ComparedRow& row, const ComparisonResult& result) {
  Json json{{"settings", settings_json(row)}};
  if (result.full_precision.size() > 1) json["model"] = result.full_precision[row.model].label;
  json.update(figures_json(row.scores));
  json["standard_error"] = errors_json(row.scores);
  if (!row.seeds.empty()) {
    for (std::size_t i = 0; i < row.scores.size(); ++i) {
      json["seed_error"][row.scores[i].label] = row.seed_errors[i];
    }
    for (std::size_t run = 0; run < row.runs.size(); ++run) {
      Json figures{{"seed", row.seeds[run]}};
      figures.update(figures_json(row.runs[run]));
      json["runs"].push_back(std::move(figures));
    }
  }
  json["to_full_precision"] = differences_json(row, row.to_full_precision);
  if (row.baseline) {
    json["to_baseline"] = differences_json(row, row.to_baseline);
    json["baseline"] = settings_json(result.rows[*row.baseline]);
  }
  if (!row.sites.empty()) json["sites"] = to_json(row.sites);
  json["seconds"] = row.seconds;
  return json;
}

}  // namespace

Json to_json(const ComparisonResult& result) {
  Json rows = Json::array();
  for (const ComparedRow& row : result.rows) rows.push_back(row_json(row, result));
  Json full_precision = Json::object();
  for (const ComparedModel& model : result.full_precision) {
    Json json = figures_json(model.scores);
    json["standard_error"] = errors_json(model.scores);
    for (const TextScore& text : model.scores) {
      if (text.examples > 0) json["examples"][text.label] = text.examples;
    }
    if (result.full_precision.size() == 1) {
      full_precision = std::move(json);
    } else {
      full_precision[model.label] = std::move(json);
    }
  }
  return {{"full_precision", full_precision}, {"rows", rows}};
}

}  // namespace evenkeel
