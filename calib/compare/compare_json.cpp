// compare.json.
#include <algorithm>
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

void add_text(const ComparedScore& score, Json& json) {
  for (const ComparedFigure& figure : score.figures) {
    const std::string metric(name_of(figure.metric));
    json[metric][score.label] = figure.value;
    json["standard_error"][score.label][metric] = figure.standard_error;
  }
  if (score.examples > 0) json["examples"][score.label] = score.examples;
}

void add_task(const ComparedScore& score, Json& json) {
  Json& task = json["tasks"][score.label];
  Json errors = Json::object();
  for (const ComparedFigure& figure : score.figures) {
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

// `value(metric)` is where a figure's value stands.
template <typename Value>
ComparedScore score_of(const std::string& label, const Json& errors, const Value& value) {
  ComparedScore score{.label = label, .figures = {}};
  for (const auto& [name, error] : errors.items()) {
    score.figures.push_back({metric_from(name), number_from(value(name)), number_from(error)});
  }
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

// By text, then metric.
void add_tests(const ComparedRow& row, Json& json) {
  if (!row.seeds.empty()) json["seeds"] = row.seeds;
  for (const ComparedScore& score : row.scores) {
    for (const ComparedFigure& figure : score.figures) {
      const std::string metric(name_of(figure.metric));
      if (!row.seeds.empty()) {
        json["runs"][score.label][metric] = figure.runs;
        json["seed_error"][score.label][metric] = figure.seed_error;
      }
      json["to_full_precision"][score.label][metric] =
          to_json(figure.to_full_precision, figure.metric);
      if (!figure.to_baseline) continue;
      json["to_baseline"][score.label][metric] = to_json(*figure.to_baseline, figure.metric);
    }
  }
}

Json row_json(const ComparedRow& row, const ComparisonResult& result) {
  Json json{{"settings", settings_json(row)}};
  if (result.full_precision.size() > 1) json["model"] = result.full_precision[row.model].label;
  add_figures(row.scores, json);
  if (row.baseline) json["baseline"] = settings_json(result.rows[*row.baseline]);
  add_tests(row, json);
  if (!row.sites.empty()) json["sites"] = to_json(row.sites);
  json["seconds"] = row.seconds;
  return json;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Json::other_error::create(501, what, nullptr);
}

ComparedRow row_from(const Json& json, const std::vector<ComparedModel>& models) {
  ComparedRow row;
  for (const auto& [axis, label] : json.at("settings").items()) {
    row.settings.emplace_back(axis, label.get<std::string>());
  }
  if (json.contains("model")) {
    const auto found =
        std::ranges::find(models, json.at("model").get<std::string>(), &ComparedModel::label);
    if (found == models.end()) refuse("a row's model is not among the models");
    row.model = static_cast<std::size_t>(found - models.begin());
  }
  row.scores = scores_of(json);
  row.seeds = json.value("seeds", std::vector<std::uint64_t>{});
  for (ComparedScore& score : row.scores) {
    for (ComparedFigure& figure : score.figures) {
      const auto of_figure = [&](const char* key) -> const Json& {
        return json.at(key).at(score.label).at(std::string(name_of(figure.metric)));
      };
      if (!row.seeds.empty()) {
        for (const Json& run : of_figure("runs")) figure.runs.push_back(number_from(run));
        figure.seed_error = number_from(of_figure("seed_error"));
      }
      figure.to_full_precision = difference_from(of_figure("to_full_precision"), figure.metric);
      if (!json.contains("baseline")) continue;
      figure.to_baseline = difference_from(of_figure("to_baseline"), figure.metric);
    }
  }
  if (json.contains("sites")) row.sites = compared_sites_from(json.at("sites"));
  row.seconds = json.at("seconds");
  for (const char* phase : {"total", "observe", "search", "quantize", "evaluate"}) {
    static_cast<void>(row.seconds.at(phase).get<double>());
  }
  return row;
}

std::size_t row_with(const Json& settings, const std::vector<ComparedRow>& rows) {
  const auto found = std::ranges::find_if(
      rows, [&](const ComparedRow& row) { return settings_json(row) == settings; });
  if (found == rows.end()) refuse("a row's baseline is not among the rows");
  return static_cast<std::size_t>(found - rows.begin());
}

bool alike(const std::vector<ComparedScore>& a, const std::vector<ComparedScore>& b) {
  return std::ranges::equal(a, b, [](const ComparedScore& one, const ComparedScore& other) {
    return one.label == other.label &&
           std::ranges::equal(one.figures, other.figures, {}, &ComparedFigure::metric,
                              &ComparedFigure::metric);
  });
}

// Whether all rows have the same axes, and all rows and models the same texts and metrics, which is
// what tables and charts go by.
void check(const ComparisonResult& result) {
  if (result.full_precision.empty() || result.rows.empty()) refuse("there is no row or no model");
  const auto& scores = result.full_precision.front().scores;
  if (scores.empty()) refuse("there is no figure");
  for (const ComparedScore& score : scores) {
    if (score.figures.empty()) refuse("a text has no figure");
  }
  const auto& settings = result.rows.front().settings;
  if (settings.empty()) refuse("a row has no setting");
  for (const ComparedModel& model : result.full_precision) {
    if (!alike(model.scores, scores)) refuse("models have different figures");
  }
  for (const ComparedRow& row : result.rows) {
    using Setting = std::pair<std::string, std::string>;
    if (!alike(row.scores, scores)) refuse("rows have different figures");
    if (!std::ranges::equal(row.settings, settings, {}, &Setting::first, &Setting::first)) {
      refuse("rows have different settings");
    }
  }
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
  check(result);
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const Json& row = json.at("rows").at(i);
    if (row.contains("baseline"))
      result.rows[i].baseline = row_with(row.at("baseline"), result.rows);
  }
  return result;
}

}  // namespace evenkeel
