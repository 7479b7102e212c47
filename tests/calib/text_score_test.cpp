#include "calib/text_score.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "calib/score_json.h"

namespace evenkeel {
namespace {

TEST(TextScore, TheStandardErrorOfAShareIsThatOfItsExamples) {
  std::vector<double> terms(900, 1.0);
  std::fill_n(terms.begin(), 90, 0.0);
  EXPECT_NEAR(standard_error({Metric::accuracy, 0.9, terms}), std::sqrt(0.9 * 0.1 / 899.0), 1e-15);
  EXPECT_EQ(standard_error({Metric::accuracy, 1.0, {1.0, 1.0, 1.0}}), 0.0);
}

TEST(TextScore, ThatOfAPerplexityFollowsItsMeanLogLikelihood) {
  const Figure figure{Metric::perplexity, std::exp(2.0), {1.0, 2.0, 3.0}};
  EXPECT_NEAR(standard_error(figure), std::exp(2.0) / std::sqrt(3.0), 1e-14);
}

TEST(TextScore, OneTermHasNone) {
  EXPECT_TRUE(std::isnan(standard_error({Metric::perplexity, 2.0, {0.5}})));
  EXPECT_TRUE(std::isnan(standard_error({Metric::accuracy, 0.0, {}})));
}

TEST(TextScore, ComesBackFromJson) {
  TextScore score{.label = "a.txt",
                  .value = 0.1 + 0.2,
                  .examples = 3,
                  .correct = 1,
                  .metric = Metric::accuracy,
                  .terms = {1.0, 0.0, 1.0 / 3.0},
                  .others = {{Metric::spearman, -0.7, {0.1}}}};
  const TextScore read = scores_from(kept_json({score})).at(0);
  EXPECT_EQ(read.label, score.label);
  EXPECT_EQ(read.value, score.value);
  EXPECT_EQ(read.examples, 3);
  EXPECT_EQ(read.correct, 1);
  EXPECT_EQ(read.metric, Metric::accuracy);
  EXPECT_EQ(read.terms, score.terms);
  ASSERT_EQ(read.others.size(), 1U);
  EXPECT_EQ(read.others[0].metric, Metric::spearman);
  EXPECT_EQ(read.others[0].value, -0.7);
  EXPECT_EQ(read.others[0].terms, score.others[0].terms);
}

TEST(TextScore, AnUnknownMetricIsAnError) {
  nlohmann::ordered_json json = kept_json({{.label = "a.txt", .value = 1.0}});
  json[0]["metric"] = "luck";
  EXPECT_THROW(scores_from(json), nlohmann::ordered_json::exception);
}

}  // namespace
}  // namespace evenkeel
