// Statistics by channel up to the fourth moment, for analysis; calibration needs the first two.
#pragma once

#include "calib/channel_statistics.h"
#include "io/matrix.h"

namespace evenkeel {

/// Streaming moments by channel and the tokens beyond a threshold. Powers are taken around the
/// mean of what is observed at a time and combined by Pebay's pairwise updates (Pebay 2008,
/// "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
/// statistical moments", Eq. 2.1 to 2.5), in double, so that shifted channels do not cancel. NaN is
/// kept as in ChannelStatistics. Not thread-safe; one per sample, then merge in sample order.
class ChannelMoments {
 public:
  using Row = ChannelStatistics::Row;

  /// Adds every row of `values` [tokens, channels]; a token counts as beyond in a channel where
  /// |value| > limit. REQUIRES: the same number of channels, and the same limit, each time.
  void observe(const ConstMatrixView& values, double limit);
  void merge(const ChannelMoments& other);

  bool empty() const { return statistics_.empty(); }
  /// Minimum, maximum, mean.
  const ChannelStatistics& statistics() const { return statistics_; }
  /// How many tokens were seen. REQUIRES: not empty.
  double tokens() const { return statistics_.counts()(0); }
  /// Population standard deviation (divided by the count).
  Row deviation() const;
  /// Kurtosis m4 / m2^2 of population moments, not its excess: 3 for a normal distribution. NaN
  /// where a channel is constant.
  Row kurtosis() const;
  /// How many tokens are beyond.
  const Row& beyond() const { return beyond_; }

 private:
  ChannelStatistics statistics_;
  Row cubes_, fourths_;  // sums of powers of the distances from the mean
  Row beyond_;
};

}  // namespace evenkeel
