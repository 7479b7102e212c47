#include "quantizers/range_observer.h"

#include <cassert>

#include "quantizers/embedding_groups.h"

namespace evenkeel {

RangeObserver::RangeObserver(const TensorScheme& scheme)
    : scheme_(scheme), extrema_(scheme.granularity) {
  assert(!is_dynamic(scheme));
  const RangeMethod& method = method_of(scheme.range);
  if (method.passes != nullptr) passes_ = method.passes(scheme);
}

RangeObserver::RangeObserver(const RangeObserver& other)
    : scheme_(other.scheme_),
      extrema_(other.extrema_),
      first_pass_(other.first_pass_),
      passes_(other.passes_ ? other.passes_->clone() : nullptr) {}

RangeObserver& RangeObserver::operator=(const RangeObserver& other) {
  if (this != &other) *this = RangeObserver(other);
  return *this;
}

RangeObserver RangeObserver::part() const {
  RangeObserver part(scheme_);
  part.first_pass_ = first_pass_;
  if (passes_) part.passes_ = passes_->part();
  return part;
}

void RangeObserver::observe(const ConstMatrixView& values, std::int64_t batch, Index head) {
  if (values.size() == 0) return;
  if (first_pass_) extrema_.observe(values, batch, head);
  if (passes_) passes_->observe(values, batch, head);
}

void RangeObserver::merge(const RangeObserver& other) {
  assert(scheme_ == other.scheme_ && first_pass_ == other.first_pass_);
  extrema_.merge(other.extrema_);
  if (passes_) passes_->merge(*other.passes_);
}

bool RangeObserver::end_pass() {
  if (first_pass_) require_valid();
  first_pass_ = false;
  return passes_ && passes_->end_pass(extrema_.whole());
}

void RangeObserver::require_valid() const {
  extrema_.require_finite();
  if (scheme_.codes != Codes::uniform) extrema_.require_no_negative(scheme_.codes);
}

std::vector<Range> RangeObserver::finish() const {
  if (passes_) {
    assert(!first_pass_);
    return passes_->finish();
  }
  require_valid();
  std::vector<Range> ranges = method_of(scheme_.range).of_batches(extrema_);
  if (scheme_.granularity != Granularity::per_embedding_group) return ranges;
  const std::vector<std::size_t> groups = embedding_groups(ranges, scheme_);
  return shared_ranges(std::move(ranges), groups);
}

}  // namespace evenkeel
