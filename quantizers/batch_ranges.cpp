#include "quantizers/batch_ranges.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

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

// What widening with changes nothing: the range of a head before it is seen.
constexpr Range no_values{std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()};

// Heads are seen one by one, so that one side may know more of them.
void widen(std::vector<Range>& ranges, const std::vector<Range>& others) {
  if (ranges.size() < others.size()) ranges.resize(others.size(), no_values);
  for (std::size_t i = 0; i < others.size(); ++i) ranges[i] = widened(ranges[i], others[i]);
}

}  // namespace

void BatchRanges::observe(const ConstMatrixView& values, std::int64_t batch, Index head) {
  if (granularity_ == Granularity::per_head) {
    std::vector<Range> heads(static_cast<std::size_t>(head) + 1, no_values);
    heads.back() = range_of_matrix(values);
    return add(batch, heads);
  }
  add(batch, has_channel_ranges(granularity_) ? channel_ranges(values)
                                              : std::vector<Range>{range_of_matrix(values)});
}

void BatchRanges::merge(const BatchRanges& other) {
  for (const auto& [batch, ranges] : other.batches_) add(batch, ranges);
}

void BatchRanges::add(std::int64_t batch, const std::vector<Range>& ranges) {
  const auto [place, is_new] = batches_.try_emplace(batch, ranges);
  if (!is_new) widen(place->second, ranges);
}

void BatchRanges::require_finite() const {
  if (batches_.empty()) {
    throw InputError("cannot estimate a range: no value was observed; calibrate on more samples");
  }
  for (const auto& [batch, ranges] : batches_) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      if (std::isfinite(ranges[i].low) && std::isfinite(ranges[i].high)) continue;
      const std::string where =
          ranges.size() == 1
              ? ""
              : fmt::format(" in {} {}", granularity_ == Granularity::per_head ? "head" : "channel",
                            i);
      throw InputError(fmt::format(
          "cannot estimate a range: batch {} has a NaN or infinite activation{}; check the "
          "checkpoint's weights",
          batch, where));
    }
  }
}

void BatchRanges::require_no_negative(Codes codes) const {
  for (const auto& [batch, ranges] : batches_) {
    for (const Range& range : ranges) {
      if (range.low >= 0.0F) continue;
      throw InputError(fmt::format(
          "{} codes are for values that are never negative, but one is {}; use uniform codes",
          name_of(codes), range.low));
    }
  }
}

std::vector<Range> BatchRanges::whole() const {
  std::vector<Range> whole = batches_.begin()->second;
  for (const auto& [batch, ranges] : batches_) widen(whole, ranges);
  return whole;
}

std::vector<Range> BatchRanges::mean() const {
  const auto count = static_cast<double>(batches_.size());
  std::vector<Range> means(batches_.begin()->second.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    double low = 0.0;
    double high = 0.0;
    for (const auto& [batch, ranges] : batches_) {
      low += static_cast<double>(ranges[i].low);
      high += static_cast<double>(ranges[i].high);
    }
    means[i] = {static_cast<float>(low / count), static_cast<float>(high / count)};
  }
  return means;
}

}  // namespace evenkeel
