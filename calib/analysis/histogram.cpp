#include "calib/analysis/histogram.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace evenkeel {

void Histogram::observe(std::span<const float> values) {
  const std::size_t last = counts_.size() - 1;
  const double bins_of_one = static_cast<double>(counts_.size()) / (2.0 * width_);
  for (const float value : values) {
    const auto at = static_cast<double>(value);
    if (at < -width_) {
      ++below_;
    } else if (at <= width_) {
      ++counts_[std::min(last, static_cast<std::size_t>((at + width_) * bins_of_one))];
    } else {
      ++above_;
    }
  }
}

void Histogram::merge(const Histogram& other) {
  assert(width_ == other.width_ && counts_.size() == other.counts_.size());
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  below_ += other.below_;
  above_ += other.above_;
}

}  // namespace evenkeel
