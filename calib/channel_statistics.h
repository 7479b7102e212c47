// What each channel of a node does over the calibration samples.
#pragma once

#include <cstdint>
#include <span>

#include <Eigen/Core>

#include "io/matrix.h"

namespace evenkeel {

/// Streaming minimum, maximum, mean and variance by channel. `observe` and `merge` combine by
/// Chan et al.'s pairwise update, in double; the variance is taken around the mean, so shifted
/// channels do not cancel. NaN is kept: a channel that saw one has NaN mean. Not thread-safe; one
/// per sample, then merge in sample order.
class ChannelStatistics {
 public:
  using Row = Eigen::Array<double, 1, Eigen::Dynamic>;

  /// Adds every row of `values` [tokens, channels].
  /// REQUIRES: the same number of channels each time.
  void observe(const ConstMatrixView& values);
  /// Adds `values` to one of `channels` channels.
  void observe_channel(Index channel, Index channels, std::span<const float> values);
  void merge(const ChannelStatistics& other);

  bool empty() const { return low_.size() == 0; }
  const Vector& low() const { return low_; }
  const Vector& high() const { return high_; }
  Vector absmax() const;
  Vector mean() const { return mean_.cast<float>(); }
  /// Biased: divided by the count.
  Vector variance() const;

  // The same before any rounding to float, by channel: tokens, means, sums of squared distances
  // from the mean.
  const Row& counts() const { return count_; }
  const Row& exact_mean() const { return mean_; }
  const Row& squares() const { return squares_; }

 private:
  void prepare(Index channels);
  Vector low_, high_;
  Row count_, mean_, squares_;  // squares_: sum of squared distances from the mean
};

}  // namespace evenkeel
