#include "quantizers/range_observer.h"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

std::vector<Range> channel_ranges(const ConstMatrixView& values) {
  std::vector<Range> ranges;
  ranges.reserve(static_cast<std::size_t>(values.cols()));
  for (const float value : row_of(values, 0)) ranges.push_back({value, value});
  for (Index row = 1; row < values.rows(); ++row) {
    auto range = ranges.begin();
    for (const float value : row_of(values, row)) {
      *range = widened(*range, {value, value});
      ++range;
    }
  }
  return ranges;
}

void widen(std::vector<Range>& ranges, const std::vector<Range>& others) {
  assert(ranges.size() == others.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = widened(ranges[i], others[i]);
}

void require_finite(const std::vector<Range>& ranges, std::int64_t batch) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (std::isfinite(ranges[i].low) && std::isfinite(ranges[i].high)) continue;
    const std::string where = ranges.size() == 1 ? "" : fmt::format(" in channel {}", i);
    throw InputError(fmt::format(
        "cannot estimate a range: batch {} has a NaN or infinite activation{}; check the "
        "checkpoint's weights",
        batch, where));
  }
}

// The mean of each range's ends, in double and in batch order, so that it does not depend on who
// observed what.
std::vector<Range> mean_of(const std::map<std::int64_t, std::vector<Range>>& batches) {
  const auto count = static_cast<double>(batches.size());
  std::vector<Range> means(batches.begin()->second.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    double low = 0.0;
    double high = 0.0;
    for (const auto& [batch, ranges] : batches) {
      low += static_cast<double>(ranges[i].low);
      high += static_cast<double>(ranges[i].high);
    }
    means[i] = {static_cast<float>(low / count), static_cast<float>(high / count)};
  }
  return means;
}

}  // namespace

void RangeObserver::observe(const ConstMatrixView& values, std::int64_t batch) {
  if (values.size() == 0) return;
  add(batch, scheme_.granularity == Granularity::per_channel
                 ? channel_ranges(values)
                 : std::vector<Range>{range_of_matrix(values)});
}

void RangeObserver::merge(const RangeObserver& other) {
  assert(scheme_ == other.scheme_);
  for (const auto& [batch, ranges] : other.batches_) add(batch, ranges);
}

void RangeObserver::add(std::int64_t batch, const std::vector<Range>& ranges) {
  const auto [place, is_new] = batches_.try_emplace(batch, ranges);
  if (!is_new) widen(place->second, ranges);
}

std::vector<Range> RangeObserver::finish() const {
  if (batches_.empty()) {
    throw InputError("cannot estimate a range: no value was observed; calibrate on more samples");
  }
  for (const auto& [batch, ranges] : batches_) require_finite(ranges, batch);
  if (scheme_.range == RangeEstimator::average_minmax) return mean_of(batches_);
  std::vector<Range> whole = batches_.begin()->second;
  for (const auto& [batch, ranges] : batches_) widen(whole, ranges);
  return whole;
}

}  // namespace evenkeel
