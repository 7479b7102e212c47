#include "calib/channel_statistics.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <span>

#include "calib/statistics_kernels.h"

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
  const auto channels = static_cast<std::size_t>(values.cols());
  const std::span means(part.mean_.data(), channels);
  statistics_kernels::add_extrema_and_sums(values, {part.low_.data(), channels},
                                           {part.high_.data(), channels}, means);
  part.count_.setConstant(static_cast<double>(values.rows()));
  part.mean_ /= part.count_;
  statistics_kernels::add_squares(values, means, {part.squares_.data(), channels});
  merge(part);
}

void ChannelStatistics::observe_channel(Index channel, Index channels,
                                        std::span<const float> values) {
  if (values.empty()) return;
  prepare(channels);
  const auto [low, high, sum] = statistics_kernels::summary_of(values);
  low_(channel) = std::min(low_(channel), low);
  high_(channel) = std::max(high_(channel), high);
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  const double distance = mean - mean_(channel);
  const double total = count_(channel) + count;
  squares_(channel) += statistics_kernels::squares_around(mean, values) +
                       distance * distance * count_(channel) * count / total;
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
