#include "calib/analysis/token_figures.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "calib/statistics_kernels.h"
#include "quantizers/affine.h"

namespace evenkeel {
namespace {

double mean_of(double sum, double count) { return count > 0.0 ? sum / count : 0.0; }

// `room` has the row's size.
double squared_error(std::span<const float> row, float absmax, int bits, std::span<float> room) {
  std::ranges::copy(row, room.begin());
  fake_quantize(room, affine_parameters({-absmax, absmax}, bits, true), code_range(bits, true));
  double sum = 0.0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double error = static_cast<double>(row[i]) - static_cast<double>(room[i]);
    sum += error * error;
  }
  return sum;
}

}  // namespace

void TokenFigures::observe(const ConstMatrixView& values, float absmax, int bits) {
  std::vector<float> room(static_cast<std::size_t>(values.cols()));
  const auto channels = static_cast<double>(values.cols());
  for (Index token = 0; token < values.rows(); ++token) {
    const std::span<const float> row = row_of(values, token);
    const Range range = range_of(row);
    per_token_ += squared_error(row, std::max(-range.low, range.high), bits, room);
    per_tensor_ += squared_error(row, absmax, bits, room);
    const double mean = statistics_kernels::summary_of(row).sum / channels;
    deviations_ += std::sqrt(statistics_kernels::squares_around(mean, row) / channels);
  }
  tokens_ += static_cast<double>(values.rows());
  values_ += static_cast<double>(values.size());
}

void TokenFigures::merge(const TokenFigures& other) {
  tokens_ += other.tokens_;
  values_ += other.values_;
  per_token_ += other.per_token_;
  per_tensor_ += other.per_tensor_;
  deviations_ += other.deviations_;
}

double TokenFigures::rmse_per_token() const { return std::sqrt(mean_of(per_token_, values_)); }
double TokenFigures::rmse_per_tensor() const { return std::sqrt(mean_of(per_tensor_, values_)); }
double TokenFigures::deviation() const { return mean_of(deviations_, tokens_); }

}  // namespace evenkeel
