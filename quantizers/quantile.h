// Quantiles as numpy.quantile and torch.quantile give them by default: linear between neighbours.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace evenkeel {

/// Where quantile q of `count` values lies: between two neighbouring ranks.
/// REQUIRES: count > 0, 0 <= q <= 1.
struct Quantile {
  std::uint64_t below = 0;
  std::uint64_t above = 0;
  double part = 0.0;

  Quantile(std::uint64_t count, double q) {
    const double index = static_cast<double>(count - 1) * q;
    below = std::min(static_cast<std::uint64_t>(index), count - 1);
    above = std::min(below + 1, count - 1);
    part = index - std::floor(index);
  }

  /// Of the values at those ranks, with numpy's interpolation, which keeps to both ends.
  double between(double low, double high) const {
    return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1.0 - part);
  }
};

}  // namespace evenkeel
