// Scores as JSON: as results have them, and as they can be read from again.
#pragma once

#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/text_score.h"

namespace evenkeel {

/// A number, or NaN for null, which is what JSON has for NaN and infinity.
double number_from(const nlohmann::ordered_json& json);

/// Throws: nlohmann::ordered_json::exception when no metric has that name.
Metric metric_from(const nlohmann::ordered_json& name);

nlohmann::ordered_json kept_json(const std::vector<TextScore>& scores);
/// Throws: nlohmann::ordered_json::exception when it is none.
std::vector<TextScore> scores_from(const nlohmann::ordered_json& json);
/// Those kept for these texts, or nothing: there is no JSON, it is no scores, or those of others.
std::optional<std::vector<TextScore>> kept_scores_of(
    const std::optional<nlohmann::ordered_json>& json, const std::vector<EvaluationText>& texts);

/// Of a task: {"accuracy": x, ..., "standard_error": {"accuracy": x, ...}, "examples": n}.
nlohmann::ordered_json task_json(const TextScore& score);

/// json["perplexity"] = {"FILE": value, ...}, or the metric that the texts have (`metric` without
/// scores); json["tasks"] = {"LABEL": task_json, ...} where there are tasks, or a value alone where
/// it has no terms, as a difference.
void put_scores(const std::vector<TextScore>& scores, Metric metric, nlohmann::ordered_json& json);

}  // namespace evenkeel
