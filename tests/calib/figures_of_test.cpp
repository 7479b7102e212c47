// Cases that can be done by hand; tests/golden/figures_test.py compares with NumPy, scikit-learn
// and SciPy.
#include "calib/figures_of.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Labels = std::vector<Index>;
using Values = std::vector<double>;

Values without(Values values, std::size_t left_out) {
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(left_out));
  return values;
}

TEST(FiguresOf, AMeanIsThatOfItsTerms) {
  EXPECT_EQ(mean_figure(Metric::accuracy, {0.0, 1.0, 1.0}).value, 2.0 / 3.0);
  const Figure perplexity = mean_figure(Metric::perplexity, {1.0, 2.0});
  EXPECT_EQ(perplexity.value, std::exp(1.5));
  EXPECT_EQ(perplexity.terms, (Values{1.0, 2.0}));
}

TEST(FiguresOf, TwoClasses) {
  // True positives 2, false 1, false negatives 1, true 1.
  const auto figures = class_figures(Labels{1, 1, 0, 0, 1}, Labels{1, 0, 0, 1, 1}, 2);
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_EQ(figures[0].metric, Metric::accuracy);
  EXPECT_EQ(figures[0].value, 3.0 / 5.0);
  EXPECT_EQ(figures[0].terms, (Values{1.0, 0.0, 1.0, 0.0, 1.0}));
  EXPECT_EQ(figures[1].metric, Metric::f1);
  EXPECT_DOUBLE_EQ(figures[1].value, 4.0 / 6.0);
  // Without a true positive F1 is 2 / 4, without the false negative 4 / 5.
  EXPECT_NEAR(figures[1].terms[0], 5.0 * 4.0 / 6.0 - 4.0 * 2.0 / 4.0, 1e-14);
  EXPECT_NEAR(figures[1].terms[1], 5.0 * 4.0 / 6.0 - 4.0 * 4.0 / 5.0, 1e-14);
  EXPECT_EQ(figures[2].metric, Metric::matthews);
  EXPECT_DOUBLE_EQ(figures[2].value, (2.0 * 1.0 - 1.0 * 1.0) / std::sqrt(3.0 * 3.0 * 2.0 * 2.0));
}

TEST(FiguresOf, MoreClassesHaveNoF1) {
  const auto figures = class_figures(Labels{0, 1, 2}, Labels{0, 1, 2}, 3);
  ASSERT_EQ(figures.size(), 2U);
  EXPECT_EQ(figures[1].metric, Metric::matthews);
  EXPECT_DOUBLE_EQ(figures[1].value, 1.0);
}

TEST(FiguresOf, WhatIsNotDefinedIsZero) {
  const auto of_one_class = class_figures(Labels{0, 0}, Labels{0, 0}, 2);
  EXPECT_EQ(of_one_class[1].value, 0.0);
  EXPECT_EQ(of_one_class[2].value, 0.0);
  for (const Figure& figure : value_figures(Values{1.0, 2.0}, Values{3.0, 3.0})) {
    EXPECT_EQ(figure.value, 0.0);
  }
  for (const Figure& figure : value_figures(Values{1.0}, Values{3.0})) {
    EXPECT_EQ(figure.terms, Values{0.0});
  }
}

TEST(FiguresOf, Correlations) {
  const auto cubes = value_figures(Values{1.0, 2.0, 3.0, 4.0}, Values{1.0, 8.0, 27.0, 64.0});
  ASSERT_EQ(cubes.size(), 2U);
  EXPECT_EQ(cubes[0].metric, Metric::pearson);
  EXPECT_LT(cubes[0].value, 0.96);
  EXPECT_EQ(cubes[1].metric, Metric::spearman);
  EXPECT_DOUBLE_EQ(cubes[1].value, 1.0);
  EXPECT_DOUBLE_EQ(value_figures(Values{1.0, 2.0, 3.0}, Values{6.0, 4.0, 2.0})[0].value, -1.0);
  // Ranks 1.5, 1.5, 3 and 1, 2, 3.
  EXPECT_DOUBLE_EQ(value_figures(Values{5.0, 5.0, 9.0}, Values{0.0, 1.0, 2.0})[1].value,
                   std::sqrt(3.0) / 2.0);
}

// Those of ranks are found without ranking the rest anew.
TEST(FiguresOf, TermsOfCorrelationsArePseudoValues) {
  const Values x{3.0, 1.0, 1.0, 4.0, 2.0, 4.0, 4.0};
  const Values y{2.0, 0.5, 0.0, 2.0, 2.0, 7.0, 1.0};
  const auto figures = value_figures(x, y);
  const auto count = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto rest = value_figures(without(x, i), without(y, i));
    for (std::size_t k = 0; k < figures.size(); ++k) {
      EXPECT_NEAR(figures[k].terms[i], count * figures[k].value - (count - 1.0) * rest[k].value,
                  1e-13)
          << i << " " << k;
    }
  }
}

}  // namespace
}  // namespace evenkeel
