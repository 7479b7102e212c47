#include "calib/scaling/scaling_json.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "calib/scaling/scaling_points.h"
#include "calib/scheme_json.h"
#include "calib/score_json.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/json_reader.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view what) {
  throw InputError(
      fmt::format("{}: not what a scaling job leaves: {}; run the job again", file.string(), what));
}

// What put_scores wrote, as far as a report reads it: texts, and of tasks the main figure.
std::vector<TextScore> scores_of(const Json& json, Metric metric) {
  std::vector<TextScore> scores;
  const std::string name(name_of(metric));
  const Json texts = json.value(name, Json::object());
  for (const auto& [label, value] : texts.items()) {
    scores.push_back({.label = label, .value = value.get<double>(), .metric = metric});
  }
  const Json tasks = json.value("tasks", Json::object());
  for (const auto& [label, task] : tasks.items()) {
    const Json& errors = task.at("standard_error");
    if (errors.empty()) continue;
    const std::string main = errors.begin().key();
    scores.push_back({.label = label,
                      .value = task.at(main).get<double>(),
                      .metric = metric_from(main),
                      .task = "task"});
  }
  return scores;
}

ModelBits bits_of(const Json& json) {
  const auto count = [&](const char* key) { return json.at(key).get<std::uint64_t>(); };
  return {.codes = count("codes"),
          .constants = count("constants"),
          .means = count("means"),
          .kept = count("kept"),
          .code_books = count("code_books"),
          .unquantized = count("unquantized"),
          .weights = count("weights")};
}

ScaledModel model_of(const std::string& label, const Json& json, Metric metric) {
  ScaledModel model{.label = label,
                    .family = json.at("family").get<std::string>(),
                    .parameters = json.at("parameters").get<std::int64_t>(),
                    .scores = scores_of(json, metric),
                    .bits = bits_of(json.at("bits")),
                    .token_bytes = {}};
  for (const Json& bytes : json.at("token_bytes")) {
    model.token_bytes.push_back(bytes.is_null() ? std::nullopt
                                                : std::optional(bytes.get<double>()));
  }
  return model;
}

TensorScheme weights_of(const Json& json, const std::filesystem::path& file) {
  const Json scheme{{"weights", json}, {"activations", {{"bits", 16}}}, {"propagate", "quantized"}};
  return scheme_from_json(JsonReader(file, {{"scheme", scheme}}), "scheme").weights;
}

ScaledRow row_of(const Json& json, const ScalingResult& result, const std::filesystem::path& file) {
  ScaledRow row;
  const auto label = json.at("model").get<std::string>();
  const auto model = std::ranges::find(result.models, label, &ScaledModel::label);
  if (model == result.models.end()) {
    refuse(file, "a row is of no model among 'models'");
  }
  row.model = static_cast<std::size_t>(model - result.models.begin());
  for (const auto& [axis, setting] : json.at("settings").items()) {
    row.settings.emplace_back(axis, setting.get<std::string>());
  }
  row.weights = weights_of(json.at("weights"), file);
  row.scores = scores_of(json, result.metric);
  row.bits = bits_of(json.at("bits"));
  if (json.contains("code_uses")) row.uses = json.at("code_uses").get<CodeUses>();
  row.seconds = json.at("seconds").get<double>();
  return row;
}

Metric metric_named(const std::string& name) {
  return name == name_of(Metric::accuracy) ? Metric::accuracy : Metric::perplexity;
}

}  // namespace

Json to_json(const ScalingResult& result, const Job& job) {
  Json models = Json::object();
  for (const ScaledModel& model : result.models) {
    Json json{{"family", model.family}, {"parameters", model.parameters}};
    put_scores(model.scores, result.metric, json);
    json["bits"] = to_json(model.bits);
    if (const auto bits = bits_per_byte(model, model.scores)) json["bits_per_byte"] = *bits;
    Json bytes = Json::array();
    for (const auto& each : model.token_bytes) bytes.push_back(each ? Json(*each) : Json(nullptr));
    json["token_bytes"] = std::move(bytes);
    models[model.label] = std::move(json);
  }
  Json rows = Json::array();
  for (const ScaledRow& row : result.rows) {
    const ScaledModel& model = result.models[row.model];
    Json settings = Json::object();
    for (const auto& [axis, label] : row.settings) settings[axis] = label;
    Json json{{"model", model.label},
              {"settings", std::move(settings)},
              {"weights", scheme_to_json({.weights = row.weights}).at("weights")}};
    put_scores(row.scores, result.metric, json);
    json["bits"] = to_json(row.bits);
    if (const auto bits = bits_per_byte(model, row.scores)) json["bits_per_byte"] = *bits;
    if (!row.uses.empty()) {
      json["code_uses"] = row.uses;
      json["code_entropy"] = entropy_of(row.uses);
    }
    json["seconds"] = row.seconds;
    rows.push_back(std::move(json));
  }
  return {{"job", job.file.filename().string()},
          {"metric", name_of(result.metric)},
          {"models", std::move(models)},
          {"rows", std::move(rows)}};
}

KeptScaling read_scaling(const std::filesystem::path& file) {
  const JsonReader reader(file);
  const Json& json = reader.document();
  try {
    KeptScaling kept;
    kept.job_file = json.at("job").get<std::string>();
    kept.result.metric = metric_named(json.at("metric").get<std::string>());
    for (const auto& [label, model] : json.at("models").items()) {
      kept.result.models.push_back(model_of(label, model, kept.result.metric));
      const ScaledModel& added = kept.result.models.back();
      if (added.scores.empty() || added.token_bytes.size() < added.scores.size()) {
        refuse(file, "a model's figures, or bytes of its tokens, are missing");
      }
    }
    if (kept.result.models.empty()) refuse(file, "'models' is empty");
    for (const Json& row : json.at("rows")) {
      kept.result.rows.push_back(row_of(row, kept.result, file));
      if (kept.result.rows.back().scores.empty()) refuse(file, "a row's figures are missing");
    }
    return kept;
  } catch (const Json::exception& error) {
    refuse(file, error.what());
  }
}

}  // namespace evenkeel
