#include "calib/channel_statistics.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace evenkeel {

void ChannelStatistics::prepare(Index channels) {
  if (!empty()) {
    assert(channels == low_.size());
    return;
  }
  constexpr float infinity = std::numeric_limits<float>::infinity();
  low_ = Vector::Constant(channels, infinity);
  high_ = Vector::Constant(channels, -infinity);
  count_ = mean_ = squares_ = Row::Zero(channels);
}

void ChannelStatistics::observe(const ConstMatrixView& values) {
  if (values.rows() == 0) return;
  ChannelStatistics part;
  part.prepare(values.cols());
  for (Index row = 0; row < values.rows(); ++row) {
    part.low_ = part.low_.cwiseMin(values.row(row));
    part.high_ = part.high_.cwiseMax(values.row(row));
    part.mean_ += values.row(row).array().cast<double>();
  }
  part.count_.setConstant(static_cast<double>(values.rows()));
  part.mean_ /= part.count_;
  for (Index row = 0; row < values.rows(); ++row) {
    part.squares_ += (values.row(row).array().cast<double>() - part.mean_).square();
  }
  merge(part);
}

void ChannelStatistics::observe_channel(Index channel, Index channels,
                                        std::span<const float> values) {
  if (values.empty()) return;
  prepare(channels);
  const Eigen::Map<const Matrix> row(values.data(), 1, static_cast<Index>(values.size()));
  low_(channel) = std::min(low_(channel), row.minCoeff());
  high_(channel) = std::max(high_(channel), row.maxCoeff());
  const auto wide = row.array().cast<double>();
  const auto count = static_cast<double>(values.size());
  const double mean = wide.mean();
  const double distance = mean - mean_(channel);
  const double total = count_(channel) + count;
  squares_(channel) +=
      (wide - mean).square().sum() + distance * distance * count_(channel) * count / total;
  mean_(channel) += distance * count / total;
  count_(channel) = total;
}

void ChannelStatistics::merge(const ChannelStatistics& other) {
  if (other.empty()) return;
  prepare(other.low_.size());
  low_ = low_.cwiseMin(other.low_);
  high_ = high_.cwiseMax(other.high_);
  const Row total = count_ + other.count_;
  // A channel that neither side has seen keeps zeros.
  const Row divisor = (total > 0.0).select(total, 1.0);
  const Row distance = other.mean_ - mean_;
  mean_ += distance * other.count_ / divisor;
  squares_ += other.squares_ + distance.square() * count_ * other.count_ / divisor;
  count_ = total;
}

Vector ChannelStatistics::absmax() const { return high_.cwiseMax(-low_); }

Vector ChannelStatistics::variance() const {
  return (squares_ / (count_ > 0.0).select(count_, 1.0)).cast<float>();
}

}  // namespace evenkeel
