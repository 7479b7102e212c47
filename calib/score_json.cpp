#include "calib/score_json.h"

#include <cstdint>
#include <string>

namespace evenkeel {

using Json = nlohmann::ordered_json;

Json kept_json(const std::vector<TextScore>& scores) {
  Json json = Json::array();
  for (const TextScore& score : scores) {
    json.push_back({{"label", score.label},
                    {"value", score.value},
                    {"examples", score.examples},
                    {"correct", score.correct}});
  }
  return json;
}

std::vector<TextScore> scores_from(const Json& json) {
  std::vector<TextScore> scores;
  for (const Json& score : json) {
    scores.push_back({.label = score.at("label").get<std::string>(),
                      .value = score.at("value").get<double>(),
                      .examples = score.at("examples").get<std::int64_t>(),
                      .correct = score.at("correct").get<std::int64_t>()});
  }
  return scores;
}

}  // namespace evenkeel
