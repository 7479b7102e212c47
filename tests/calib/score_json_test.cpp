#include "calib/score_json.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr double infinity = std::numeric_limits<double>::infinity();

TextScore task_score() {
  return {.label = "arc",
          .value = 0.5,
          .examples = 2,
          .correct = 1,
          .metric = Metric::accuracy,
          .terms = {1.0, 0.0},
          .others = {{Metric::normalized_accuracy, 1.0, {1.0, 1.0}}},
          .task = "arc_easy"};
}

// Through the text of a file, as work that is continued reads it.
std::vector<TextScore> through_text(const std::vector<TextScore>& scores) {
  return scores_from(Json::parse(kept_json(scores).dump(1)));
}

TEST(ScoreJson, ScoresComeBack) {
  const TextScore score{.label = "a.txt",
                        .value = 0.1 + 0.2,
                        .examples = 3,
                        .correct = 1,
                        .metric = Metric::accuracy,
                        .terms = {1.0, 0.0, 1.0 / 3.0},
                        .others = {{Metric::spearman, -0.7, {0.1}}}};
  const auto all = through_text({score, task_score()});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].label, score.label);
  EXPECT_EQ(all[0].value, score.value);
  EXPECT_EQ(all[0].examples, 3);
  EXPECT_EQ(all[0].correct, 1);
  EXPECT_EQ(all[0].metric, Metric::accuracy);
  EXPECT_EQ(all[0].terms, score.terms);
  EXPECT_EQ(all[0].task, "");
  ASSERT_EQ(all[0].others.size(), 1U);
  EXPECT_EQ(all[0].others[0].metric, Metric::spearman);
  EXPECT_EQ(all[0].others[0].value, -0.7);
  EXPECT_EQ(all[0].others[0].terms, score.others[0].terms);
  EXPECT_EQ(all[1].label, "arc");
  EXPECT_EQ(all[1].task, "arc_easy");
  EXPECT_TRUE(through_text({}).empty());
}

// A model that is spoilt by its quantization has such figures, and work on it is continued too.
TEST(ScoreJson, WhatIsNotFiniteComesBackAsNotFinite) {
  for (const double value : {infinity, std::nan("")}) {
    const auto all = through_text({{.label = "a.txt",
                                    .value = value,
                                    .terms = {1.0, value},
                                    .others = {{Metric::accuracy, value, {value, 0.5}}}}});
    ASSERT_EQ(all.size(), 1U);
    EXPECT_FALSE(std::isfinite(all[0].value));
    ASSERT_EQ(all[0].terms.size(), 2U);
    EXPECT_EQ(all[0].terms[0], 1.0);
    EXPECT_FALSE(std::isfinite(all[0].terms[1]));
    const Figure& other = all[0].others.at(0);
    EXPECT_FALSE(std::isfinite(other.value));
    ASSERT_EQ(other.terms.size(), 2U);
    EXPECT_FALSE(std::isfinite(other.terms[0]));
    EXPECT_EQ(other.terms[1], 0.5);
  }
}

TEST(ScoreJson, EveryMetricHasItsName) {
  for (const Metric metric : {Metric::perplexity, Metric::accuracy, Metric::normalized_accuracy,
                              Metric::f1, Metric::matthews, Metric::pearson, Metric::spearman}) {
    EXPECT_EQ(metric_from(name_of(metric)), metric);
  }
  EXPECT_THROW(metric_from("luck"), Json::exception);
  EXPECT_THROW(metric_from(7), Json::exception);
}

TEST(ScoreJson, WhatIsNoScoreIsAnError) {
  const Json good = kept_json({task_score()});
  for (const auto& [key, value] : good[0].items()) {
    Json without = good;
    without[0].erase(key);
    EXPECT_THROW(scores_from(without), Json::exception) << key;
    Json other = good;
    other[0][key] = Json::object({{"a", "b"}});
    EXPECT_THROW(scores_from(other), Json::exception) << key;
  }
  EXPECT_THROW(scores_from(Json::array({"a"})), Json::exception);
}

TEST(ScoreJson, ResultsHaveTextsByTheirMetricAndTasksWithTheirErrors) {
  Json json;
  put_scores({{.label = "a.txt", .value = 9.5, .terms = {2.0}}, task_score()}, Metric::accuracy,
             json);
  EXPECT_EQ(json, (Json{{"perplexity", {{"a.txt", 9.5}}},
                        {"tasks",
                         {{"arc",
                           {{"accuracy", 0.5},
                            {"normalized_accuracy", 1.0},
                            {"standard_error", {{"accuracy", 0.5}, {"normalized_accuracy", 0.0}}},
                            {"examples", 2}}}}}}));
  Json none;
  put_scores({}, Metric::accuracy, none);
  EXPECT_EQ(none, (Json{{"accuracy", Json::object()}}));
  Json difference;
  put_scores({{.label = "arc", .value = -0.25, .task = "arc_easy"}}, Metric::perplexity,
             difference);
  EXPECT_EQ(difference, (Json{{"tasks", {{"arc", -0.25}}}}));
}

}  // namespace
}  // namespace evenkeel
