// How often values fall where, around zero.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace evenkeel {

/// Counts over equal bins of [-width, width]; bin i begins at -width + 2 i width / bins, and the
/// last one holds its end too. What lies outside, infinities included, is counted apart; NaN counts
/// as above. Not thread-safe; counts are exact, so that the order of merging does not matter.
class Histogram {
 public:
  /// REQUIRES: width > 0 and finite, bins > 0.
  Histogram(double width, int bins) : width_(width), counts_(static_cast<std::size_t>(bins)) {}

  void observe(std::span<const float> values);
  /// REQUIRES: the same width and bins.
  void merge(const Histogram& other);

  double width() const { return width_; }
  const std::vector<std::int64_t>& counts() const { return counts_; }
  std::int64_t below() const { return below_; }
  std::int64_t above() const { return above_; }

 private:
  double width_;
  std::vector<std::int64_t> counts_;
  std::int64_t below_ = 0;
  std::int64_t above_ = 0;
};

}  // namespace evenkeel
