// compare.json.
#include <algorithm>
#include <cmath>
#include <string>

#include "calib/compare/compare.h"
#include "calib/score_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::vector<ComparedFigure> all_figures(const ComparedScore& score) {
  std::vector<ComparedFigure> figures{score.main};
  figures.insert(figures.end(), score.others.begin(), score.others.end());
  return figures;
}

Json settings_json(const ComparedRow& row) {
  Json json = Json::object();
  for (const auto& [axis, label] : row.settings) json[axis] = label;
  return json;
}

void add_text(const ComparedScore& score, Json& json) {
  for (const ComparedFigure& figure : all_figures(score)) {
    const std::string metric(name_of(figure.metric));
    json[metric][score.label] = figure.value;
    json["standard_error"][score.label][metric] = figure.standard_error;
  }
  if (score.examples > 0) json["examples"][score.label] = score.examples;
}

void add_task(const ComparedScore& score, Json& json) {
  Json& task = json["tasks"][score.label];
  Json errors = Json::object();
  for (const ComparedFigure& figure : all_figures(score)) {
    const std::string metric(name_of(figure.metric));
    task[metric] = figure.value;
    errors[metric] = figure.standard_error;
  }
  task["standard_error"] = std::move(errors);
  task["examples"] = score.examples;
}

// Of texts, figures by metric, then text, and errors by text, then metric, the main one first; of
// tasks as summary.json has them.
void add_figures(const std::vector<ComparedScore>& scores, Json& json) {
  for (const ComparedScore& score : scores) {
    score.is_task ? add_task(score, json) : add_text(score, json);
  }
}

double number_from(const Json& json) { return json.is_null() ? std::nan("") : json.get<double>(); }

// `value(metric)` is where a figure's value stands.
template <typename Value>
ComparedScore score_of(const std::string& label, const Json& errors, const Value& value) {
  ComparedScore score{.label = label, .main = {}};
  for (const auto& [name, error] : errors.items()) {
    score.others.push_back({metric_from(name), number_from(value(name)), number_from(error)});
  }
  score.main = score.others.at(0);
  score.others.erase(score.others.begin());
  return score;
}

std::vector<ComparedScore> scores_of(const Json& json) {
  const Json none = Json::object();
  const Json texts = json.value("standard_error", none);
  const Json tasks = json.value("tasks", none);
  std::vector<ComparedScore> scores;
  for (const auto& [label, errors] : texts.items()) {
    scores.push_back(score_of(label, errors, [&json, &label = label](const std::string& metric) {
      return json.at(metric).at(label);
    }));
    scores.back().examples = json.value("examples", none).value(label, std::int64_t{0});
  }
  for (const auto& [label, task] : tasks.items()) {
    scores.push_back(
        score_of(label, task.at("standard_error"),
                 [&task = task](const std::string& metric) { return task.at(metric); }));
    scores.back().examples = task.at("examples").get<std::int64_t>();
    scores.back().is_task = true;
  }
  return scores;
}

std::string_view name_of_difference(Metric metric) {
  return metric == Metric::perplexity ? "ratio" : "difference";
}

Json to_json(const PairedDifference& difference, Metric metric) {
  const bool ratio = metric == Metric::perplexity;
  const double value = ratio ? std::exp(difference.difference) : difference.difference;
  return {{name_of_difference(metric), value},
          {"standard_error", difference.standard_error * (ratio ? value : 1.0)},
          {"degrees_of_freedom", difference.degrees},
          {"p", difference.p_value},
          {"adjusted_p", difference.adjusted_p_value}};
}

PairedDifference difference_from(const Json& json, Metric metric) {
  const bool ratio = metric == Metric::perplexity;
  const double value = number_from(json.at(std::string(name_of_difference(metric))));
  return {.difference = ratio ? std::log(value) : value,
          .standard_error = number_from(json.at("standard_error")) / (ratio ? value : 1.0),
          .degrees = number_from(json.at("degrees_of_freedom")),
          .p_value = number_from(json.at("p")),
          .adjusted_p_value = number_from(json.at("adjusted_p"))};
}

void add_runs(const ComparedRow& row, Json& json) {
  if (row.seeds.empty()) return;
  json["seeds"] = row.seeds;
  for (const ComparedScore& score : row.scores) {
    json["runs"][score.label] = score.runs;
    json["seed_error"][score.label] = score.seed_error;
  }
}

Json row_json(const ComparedRow& row, const ComparisonResult& result) {
  Json json{{"settings", settings_json(row)}};
  if (result.full_precision.size() > 1) json["model"] = result.full_precision[row.model].label;
  add_figures(row.scores, json);
  add_runs(row, json);
  for (const ComparedScore& score : row.scores) {
    json["to_full_precision"][score.label] = to_json(score.to_full_precision, score.main.metric);
  }
  if (row.baseline) {
    json["baseline"] = settings_json(result.rows[*row.baseline]);
    for (const ComparedScore& score : row.scores) {
      json["to_baseline"][score.label] = to_json(*score.to_baseline, score.main.metric);
    }
  }
  if (!row.sites.empty()) json["sites"] = to_json(row.sites);
  json["seconds"] = row.seconds;
  return json;
}

ComparedRow row_from(const Json& json, const std::vector<ComparedModel>& models) {
  ComparedRow row;
  for (const auto& [axis, label] : json.at("settings").items()) {
    row.settings.emplace_back(axis, label.get<std::string>());
  }
  if (json.contains("model")) {
    const auto found =
        std::ranges::find(models, json.at("model").get<std::string>(), &ComparedModel::label);
    row.model = found == models.end() ? 0 : static_cast<std::size_t>(found - models.begin());
  }
  row.scores = scores_of(json);
  row.seeds = json.value("seeds", std::vector<std::uint64_t>{});
  for (ComparedScore& score : row.scores) {
    const Metric metric = score.main.metric;
    if (!row.seeds.empty()) {
      for (const Json& run : json.at("runs").at(score.label))
        score.runs.push_back(number_from(run));
      score.seed_error = number_from(json.at("seed_error").at(score.label));
    }
    score.to_full_precision = difference_from(json.at("to_full_precision").at(score.label), metric);
    if (!json.contains("baseline")) continue;
    score.to_baseline = difference_from(json.at("to_baseline").at(score.label), metric);
  }
  if (json.contains("sites")) row.sites = compared_sites_from(json.at("sites"));
  row.seconds = json.at("seconds");
  return row;
}

}  // namespace

Json to_json(const ComparisonResult& result) {
  Json rows = Json::array();
  for (const ComparedRow& row : result.rows) rows.push_back(row_json(row, result));
  Json full_precision = Json::object();
  for (const ComparedModel& model : result.full_precision) {
    Json json = Json::object();
    add_figures(model.scores, json);
    if (result.full_precision.size() == 1) {
      full_precision = std::move(json);
    } else {
      full_precision[model.label] = std::move(json);
    }
  }
  Json models = Json::array();
  for (const ComparedModel& model : result.full_precision) models.push_back(model.label);
  return {{"models", models}, {"full_precision", full_precision}, {"rows", rows}};
}

ComparisonResult comparison_from(const Json& json) {
  ComparisonResult result;
  const auto models = json.at("models").get<std::vector<std::string>>();
  for (const std::string& label : models) {
    const Json& all = json.at("full_precision");
    result.full_precision.push_back({label, scores_of(models.size() == 1 ? all : all.at(label))});
  }
  for (const Json& row : json.at("rows")) {
    result.rows.push_back(row_from(row, result.full_precision));
  }
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const Json& row = json.at("rows").at(i);
    if (!row.contains("baseline")) continue;
    const auto found = std::ranges::find_if(result.rows, [&](const ComparedRow& other) {
      return settings_json(other) == row.at("baseline");
    });
    if (found != result.rows.end()) {
      result.rows[i].baseline = static_cast<std::size_t>(found - result.rows.begin());
    }
  }
  return result;
}

}  // namespace evenkeel
