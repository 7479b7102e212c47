// Figures of labels and predictions, each with its terms (calib/text_score.h).
//
// A figure that is no mean has jackknife pseudo-values as terms, n f - (n - 1) f_i, where f_i is
// the figure without example i (Tukey 1958), so that its standard error is that of the jackknife.
#pragma once

#include <span>
#include <vector>

#include "calib/text_score.h"

namespace evenkeel {

/// The mean of `terms`; of perplexity exp of it.
Figure mean_figure(Metric metric, std::vector<double> terms);

/// Accuracy; of two classes F1 of class 1, 2 TP / (2 TP + FP + FN), 0 where nothing is or is said
/// to be of it; and Matthews' correlation of any number of classes (Gorodkin 2004, eq. 8), 0 where
/// it is not defined. REQUIRES: at least one example; classes in [0, classes).
std::vector<Figure> class_figures(std::span<const Index> labels, std::span<const Index> predictions,
                                  Index classes);

/// Pearson's correlation, and Spearman's: the same of the ranks, equal values having the mean of
/// theirs. 0 where one side is constant. REQUIRES: at least one example.
std::vector<Figure> value_figures(std::span<const double> values,
                                  std::span<const double> predictions);

}  // namespace evenkeel
