// Percentile: from quantile 1 - p to quantile p of all values, as numpy.quantile gives them by
// default (linear between neighbours), in double.
//
// Static ranges are exact in bounded memory: floats are counted by the high half of a key that
// sorts as they do, and in a second pass by the low half in the few buckets where the wanted ranks
// lie.
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "quantizers/affine.h"
#include "quantizers/quantile.h"
#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

using Counts = std::vector<std::uint64_t>;

constexpr std::size_t buckets = std::size_t{1} << 16U;
constexpr std::uint32_t sign = 0x80000000U;

// Ascends with the value; -0 comes right before 0.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & sign) != 0U ? ~bits : bits | sign;
}
float value_of(std::uint32_t key) {
  return std::bit_cast<float>((key & sign) != 0U ? key & ~sign : ~key);
}

struct Ends {
  Quantile low;
  Quantile high;

  Ends(std::uint64_t count, double percentile)
      : low(count, 1.0 - percentile), high(count, percentile) {}
  std::array<std::uint64_t, 4> ranks() const {
    return {low.below, low.above, high.below, high.above};
  }
  Range range(const std::array<float, 4>& values) const {
    const std::array<double, 4> exact{values[0], values[1], values[2], values[3]};
    return {static_cast<float>(low.between(exact[0], exact[1])),
            static_cast<float>(high.between(exact[2], exact[3]))};
  }
};

// Where the value of some rank is counted, and its rank there.
std::pair<std::uint32_t, std::uint64_t> bucket_of_rank(const Counts& counts, std::uint64_t rank) {
  std::uint32_t bucket = 0;
  while (rank >= counts[bucket]) rank -= counts[bucket++];
  return {bucket, rank};
}

// One part of the activation.
class Counter {
 public:
  void observe(const ConstMatrixView& values) {
    for (Index row = 0; row < values.rows(); ++row) {
      for (const float value : row_of(values, row)) observe(key_of(value));
    }
  }

  void merge(const Counter& other) {
    add(high_, other.high_);
    for (std::size_t i = 0; i < low_.size(); ++i) add(low_[i].second, other.low_[i].second);
  }

  // After the first pass: counts the low halves from now on.
  void refine(double percentile) {
    std::uint64_t count = 0;
    for (const std::uint64_t here : high_) count += here;
    assert(count > 0);
    const Ends ends(count, percentile);
    ends_ = ends;
    std::size_t i = 0;
    for (const std::uint64_t rank : ends.ranks()) {
      const auto [bucket, rest] = bucket_of_rank(high_, rank);
      ranks_[i++] = {bucket, rest};
      if (std::ranges::find(low_, bucket, &Low::first) == low_.end()) low_.push_back({bucket, {}});
    }
    high_.clear();
  }

  Counter part() const {
    Counter empty;
    for (const Low& low : low_) empty.low_.push_back({low.first, {}});
    return empty;
  }

  Range finish() const {
    std::array<float, 4> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto [bucket, rank] = ranks_[i];
      const auto low = std::ranges::find(low_, bucket, &Low::first);
      values[i] = value_of(bucket << 16U | bucket_of_rank(low->second, rank).first);
    }
    return ends_->range(values);
  }

 private:
  using Low = std::pair<std::uint32_t, Counts>;

  void observe(std::uint32_t key) {
    if (low_.empty()) {
      if (high_.empty()) high_.resize(buckets);
      ++high_[key >> 16U];
      return;
    }
    for (auto& [bucket, counts] : low_) {
      if (bucket != key >> 16U) continue;
      if (counts.empty()) counts.resize(buckets);
      ++counts[key & 0xFFFFU];
      return;
    }
  }

  static void add(Counts& sum, const Counts& more) {
    if (sum.empty()) {
      sum = more;
      return;
    }
    for (std::size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
  }

  Counts high_;
  std::vector<Low> low_;  // of the second pass
  std::optional<Ends> ends_;
  std::array<std::pair<std::uint32_t, std::uint64_t>, 4> ranks_{};  // bucket and rank in it
};

class PercentilePasses final : public RangePasses {
 public:
  PercentilePasses(bool heads, double percentile, bool refined = false)
      : heads_(heads), percentile_(percentile), refined_(refined) {}

  std::unique_ptr<RangePasses> clone() const override {
    auto copy = std::make_unique<PercentilePasses>(heads_, percentile_, refined_);
    copy->parts_ = parts_;
    return copy;
  }
  std::unique_ptr<RangePasses> part() const override {
    auto copy = std::make_unique<PercentilePasses>(heads_, percentile_, refined_);
    for (const auto& [head, counter] : parts_) copy->parts_.emplace(head, counter.part());
    return copy;
  }
  void observe(const ConstMatrixView& values, std::int64_t /*batch*/, Index head) override {
    parts_[heads_ ? head : 0].observe(values);
  }
  void merge(const RangePasses& other) override {
    for (const auto& [head, counter] : dynamic_cast<const PercentilePasses&>(other).parts_) {
      parts_[head].merge(counter);
    }
  }
  bool end_pass(const std::vector<Range>& /*extrema*/) override {
    if (std::exchange(refined_, true)) return false;
    for (auto& [head, counter] : parts_) counter.refine(percentile_);
    return true;
  }
  std::vector<Range> finish() const override {
    std::vector<Range> ranges;
    for (const auto& [head, counter] : parts_) ranges.push_back(counter.finish());
    return ranges;
  }

 private:
  bool heads_;
  double percentile_;
  bool refined_;  // counting low halves already
  std::map<Index, Counter> parts_;
};

Range range_of_values(const ConstMatrixView& values, Range /*extrema*/,
                      const TensorScheme& scheme) {
  std::vector<float> all;
  all.reserve(static_cast<std::size_t>(values.size()));
  for (Index row = 0; row < values.rows(); ++row) {
    const auto one = row_of(values, row);
    all.insert(all.end(), one.begin(), one.end());
  }
  const Ends ends(all.size(), scheme.percentile);
  std::array<float, 4> found{};
  auto first = all.begin();
  std::size_t i = 0;
  for (const std::uint64_t rank : ends.ranks()) {  // ascending: what is before stays there
    const auto place = all.begin() + static_cast<std::ptrdiff_t>(rank);
    if (place >= first) std::nth_element(first, place, all.end());
    first = std::max(first, place + 1);
    found[i++] = *place;
  }
  return ends.range(found);
}

std::optional<std::string> fault(const TensorScheme& scheme, bool activations) {
  if (!activations || !has_channel_ranges(scheme.granularity)) return std::nullopt;
  return fmt::format(
      "range percentile would have to count the values of each channel, which takes more memory "
      "than the model; with {} use omse, minmax or average_minmax",
      name_of(scheme.granularity));
}

}  // namespace

extern const RangeMethod percentile_method{
    .id = RangeEstimator::percentile,
    .name = "percentile",
    .fault = fault,
    .of_values = range_of_values,
    .passes = [](const TensorScheme& scheme) -> std::unique_ptr<RangePasses> {
      return std::make_unique<PercentilePasses>(scheme.granularity == Granularity::per_head,
                                                scheme.percentile);
    }};

}  // namespace evenkeel
