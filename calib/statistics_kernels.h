// The inner loops of channel_statistics.h, vectorised; sums in double.
#pragma once

#include <limits>
#include <span>

#include "io/matrix.h"

namespace evenkeel::statistics_kernels {

/// For each channel of values [tokens, channels]: low = min(low, ...), high = max(high, ...), and
/// the values added to `sums`, token by token. REQUIRES: spans of size channels.
void add_extrema_and_sums(const ConstMatrixView& values, std::span<float> low,
                          std::span<float> high, std::span<double> sums);

/// For each channel adds (value - mean)^2, token by token.
void add_squares(const ConstMatrixView& values, std::span<const double> mean,
                 std::span<double> squares);

/// For each channel adds (value - mean)^3 to `cubes`, (value - mean)^4 to `fourths`, and 1 to
/// `beyond` where |value| > limit, token by token. REQUIRES: spans of size channels.
void add_higher_powers(const ConstMatrixView& values, std::span<const double> mean, double limit,
                       std::span<double> cubes, std::span<double> fourths,
                       std::span<double> beyond);

/// Of values in a row, in an order that depends on the machine's vectors.
struct RowSummary {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
  double sum = 0.0;
};
RowSummary summary_of(std::span<const float> values);
double squares_around(double mean, std::span<const float> values);

}  // namespace evenkeel::statistics_kernels
