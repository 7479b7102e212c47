#include "calib/text_score.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace evenkeel
