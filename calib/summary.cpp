#include "calib/summary.h"

#include "calib/calibration_samples.h"
#include "calib/peak_memory.h"
#include "calib/scheme_json.h"
#include "calib/score_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json calibration_json(const CalibrationOptions& calibration) {
  const CorpusOptions& corpus = calibration.corpus;
  Json json;
  if (corpus.random == CorpusOptions::Random::none) {
    if (corpus.task.empty()) {
      json["corpus"] = corpus.file.string();
    } else {
      json["corpus"] = {{"task", corpus.task}, {"file", corpus.file.string()}};
      if (!corpus.labels.empty()) json["corpus"]["labels"] = corpus.labels.string();
    }
    json["order"] = corpus.order == CorpusOptions::Order::first ? "first" : "random";
  } else {
    json["random"] = corpus.random == CorpusOptions::Random::ascii ? "ascii" : "vocabulary";
  }
  json["samples"] = corpus.samples;
  json["sequence_length"] = corpus.sequence_length;
  json["batch"] = calibration.batch;
  json["seed"] = corpus.seed;
  return json;
}

// The parts of OS+ that are not as published.
void add_ablations(const TransformOptions& transform, Json& json) {
  if (!transform.shift) json["shift"] = false;
  if (!transform.scale) json["scale"] = false;
  if (transform.objective != SearchObjective::attention) {
    json["objective"] = name_of(transform.objective);
  }
  if (!transform.outlier_threshold) json["outlier_threshold"] = false;
}

Json transform_json(const TransformOptions& transform, const TensorScheme& weights) {
  Json json{{"method", name_of(transform.method)}};
  if (transform.clip || clips(transform, weights)) json["clip"] = clips(transform, weights);
  if (transform.method == Method::none) return json;
  if (transform.method == Method::os_plus) {
    json["search"] = name_of(transform.search);
    add_ablations(transform, json);
  }
  if (transform.method == Method::smoothquant) {
    json["alpha"] = transform.alpha ? Json(*transform.alpha) : Json("search");
  }
  json["search_samples"] = transform.search_samples;
  if (transform.sites) {
    Json sites = Json::array();
    for (const SiteKind kind : *transform.sites) sites.push_back(name_of(kind));
    json["sites"] = sites;
  }
  if (transform.plain_layout) json["plain_layout"] = true;
  return json;
}

Json evaluate_json(const EvaluationOptions& evaluate) {
  Json json = Json::object();
  if (!evaluate.files().empty() || evaluate.tasks.empty()) {
    Json& files = json[name_of(evaluate.metric())] = Json::array();
    for (const auto& file : evaluate.files()) files.push_back(file.string());
  }
  for (const EvaluatedTask& task : evaluate.tasks) {
    Json entry{{"task", task.task.kind}, {"file", task.task.file.string()}};
    if (!task.task.labels.empty()) entry["labels"] = task.task.labels.string();
    entry["label"] = task.label;
    json["tasks"].push_back(std::move(entry));
  }
  if (!evaluate.files().empty() || evaluate.sequence_length || evaluate.tasks.empty()) {
    json["sequence_length"] = evaluate.length();
  }
  if (evaluate.windows) json["windows"] = *evaluate.windows;
  if (evaluate.examples) json["examples"] = *evaluate.examples;
  return json;
}

// A figure of the two models with its standard errors.
Json figures_json(const Figure& full_precision, const Figure& quantized) {
  return {{"full_precision", full_precision.value},
          {"quantized", quantized.value},
          {"standard_error",
           {{"full_precision", standard_error(full_precision)},
            {"quantized", standard_error(quantized)}}}};
}

Json text_json(const TextScore& full_precision, const TextScore& quantized) {
  if (full_precision.metric == Metric::perplexity) {
    return {{"full_precision", full_precision.value}, {"quantized", quantized.value}};
  }
  Json json = figures_json(full_precision.figure(), quantized.figure());
  json["examples"] = full_precision.examples;
  for (std::size_t i = 0; i < full_precision.others.size(); ++i) {
    json[name_of(full_precision.others[i].metric)] =
        figures_json(full_precision.others[i], quantized.others[i]);
  }
  return json;
}

void put_scores(const std::vector<TextScore>& full_precision,
                const std::vector<TextScore>& quantized, const EvaluationOptions& options,
                Metric metric, Json& json) {
  if (!options.files().empty() || options.tasks.empty()) json[name_of(metric)] = Json::object();
  for (std::size_t i = 0; i < full_precision.size(); ++i) {
    const TextScore& score = full_precision[i];
    if (score.task.empty()) {
      json[name_of(metric)][score.label] = text_json(score, quantized[i]);
    } else {
      json["tasks"][score.label] = {{"full_precision", task_json(score)},
                                    {"quantized", task_json(quantized[i])}};
    }
  }
}

}  // namespace

Json to_json(const Job& job) {
  return {{"file", job.file.filename().string()},
          {"model", job.model.string()},
          {"calibration", calibration_json(job.calibration)},
          {"transform", transform_json(job.transform, job.scheme.weights)},
          {"scheme", scheme_to_json(job.scheme)},
          {"evaluate", evaluate_json(job.evaluate)},
          {"output", job.output.string()},
          {"memory_limit", job.memory_limit}};
}

Json to_json(const Stopwatch& stopwatch) {
  return {{"total", stopwatch.total()},
          {"observe", stopwatch.seconds(Phase::observe)},
          {"search", stopwatch.seconds(Phase::search)},
          {"quantize", stopwatch.seconds(Phase::quantize)},
          {"evaluate", stopwatch.seconds(Phase::evaluate)}};
}

Json summarize(const Job& job, const LanguageModel& model,
               const std::vector<TextScore>& full_precision, const CalibrationOutcome& outcome,
               const Stopwatch& stopwatch) {
  Json sites = Json::array();
  for (const SiteSummary& site : outcome.sites) {
    sites.push_back({{"name", site.name},
                     {"method", name_of(job.transform.method)},
                     {"threshold", site.threshold},
                     {"loss_before", site.loss_before},
                     {"loss_after", site.loss_after}});
  }
  const HeadKind head = model.architecture().head.kind;
  Json job_json = to_json(job);
  job_json["calibration"]["cut"] = name_of(cut_of(job.calibration, head));
  Json json{{"model", job.model.filename().string()},
            {"architecture", model.architecture().model_type},
            {"parameters", model.checkpoint().parameters()},
            {"job", job_json}};
  put_scores(full_precision, outcome.scores, job.evaluate,
             metric_of(model.architecture().head).value_or(Metric::perplexity), json);
  json["sites"] = sites;
  json["seconds"] = to_json(stopwatch);
  json["peak_memory_bytes"] = peak_memory_bytes();
  return json;
}

}  // namespace evenkeel
