// Scores as JSON that they can be read from again, for work that is continued.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "calib/text_score.h"

namespace evenkeel {

nlohmann::ordered_json kept_json(const std::vector<TextScore>& scores);
/// Throws: nlohmann::ordered_json::exception when it is none.
std::vector<TextScore> scores_from(const nlohmann::ordered_json& json);

}  // namespace evenkeel
