// Scores as JSON: as results show them, and so that they can be read again when work is continued.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "calib/text_score.h"

namespace evenkeel {

/// {"perplexity": {"FILE": value, ...}, "accuracy": ...}: by metric, then label, of all figures.
nlohmann::ordered_json figures_json(const std::vector<TextScore>& scores);

/// Throws: nlohmann::ordered_json::exception when no metric has that name.
Metric metric_from(const nlohmann::ordered_json& name);

nlohmann::ordered_json kept_json(const std::vector<TextScore>& scores);
/// Throws: nlohmann::ordered_json::exception when it is none.
std::vector<TextScore> scores_from(const nlohmann::ordered_json& json);

}  // namespace evenkeel
