// Correlation of two lists of figures.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace evenkeel {

/// Pearson's, in double, around the means. Nothing where either list is constant or shorter than
/// two. REQUIRES: equal sizes.
std::optional<double> pearson(std::span<const double> a, std::span<const double> b);

/// Ranks from 1 on; values alike share the mean of their ranks.
std::vector<double> ranks_of(std::span<const double> values);

/// Spearman's: Pearson's of the ranks. REQUIRES: equal sizes, no NaN.
std::optional<double> spearman(std::span<const double> a, std::span<const double> b);

}  // namespace evenkeel
