#include "calib/analysis/channel_moments.h"

#include <limits>
#include <span>

#include "calib/statistics_kernels.h"

namespace evenkeel {

void ChannelMoments::observe(const ConstMatrixView& values, double limit) {
  if (values.rows() == 0) return;
  const auto channels = static_cast<std::size_t>(values.cols());
  ChannelMoments part;
  part.statistics_.observe(values);
  part.cubes_ = part.fourths_ = part.beyond_ = Row::Zero(values.cols());
  statistics_kernels::add_higher_powers(values, {part.statistics_.exact_mean().data(), channels},
                                        limit, {part.cubes_.data(), channels},
                                        {part.fourths_.data(), channels},
                                        {part.beyond_.data(), channels});
  merge(part);
}

void ChannelMoments::merge(const ChannelMoments& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  const Row& a = statistics_.counts();
  const Row& b = other.statistics_.counts();
  const Row total = a + b;
  const Row distance = other.statistics_.exact_mean() - statistics_.exact_mean();
  const Row squared = distance.square();
  const Row& squares_a = statistics_.squares();
  const Row& squares_b = other.statistics_.squares();
  fourths_ += other.fourths_ +
              squared.square() * a * b * (a.square() - a * b + b.square()) / total.cube() +
              6.0 * squared * (a.square() * squares_b + b.square() * squares_a) / total.square() +
              4.0 * distance * (a * other.cubes_ - b * cubes_) / total;
  cubes_ += other.cubes_ + squared * distance * a * b * (a - b) / total.square() +
            3.0 * distance * (a * squares_b - b * squares_a) / total;
  beyond_ += other.beyond_;
  statistics_.merge(other.statistics_);
}

ChannelMoments::Row ChannelMoments::deviation() const {
  return (statistics_.squares() / statistics_.counts()).sqrt();
}

ChannelMoments::Row ChannelMoments::kurtosis() const {
  const Row all = statistics_.counts() * fourths_ / statistics_.squares().square();
  // A constant's distances are the rounding of its mean.
  const Eigen::Array<bool, 1, Eigen::Dynamic> constant =
      statistics_.low().array() == statistics_.high().array();
  return constant.select(std::numeric_limits<double>::quiet_NaN(), all);
}

}  // namespace evenkeel
