// Sums of squared differences: what errors are measured in.
#pragma once

#include <span>

namespace evenkeel {

/// Sum over i of (a[i] - b[i])^2: differences in float, squares and sum in double.
/// The order of the sum depends on the machine's vectors, and on nothing else.
/// REQUIRES: equal sizes.
double squared_distance(std::span<const float> a, std::span<const float> b);

}  // namespace evenkeel
