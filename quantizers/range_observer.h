// Streaming range estimates, mergeable so that threads, ranks and resumed runs combine.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"
#include "quantizers/batch_ranges.h"
#include "quantizers/range_method.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Ranges of an activation for a static scheme, over samples that belong to batches.
/// What was observed decides, not the order or how it was split and merged (OMSE adds up errors in
/// double as they come, so that there the order of merges decides the last bits of the sums).
/// NaN is an error of the model: `end_pass` and `finish` throw. Not thread-safe; one part per task,
/// then merge.
class RangeObserver {
 public:
  /// REQUIRES: !is_dynamic(scheme).
  explicit RangeObserver(const TensorScheme& scheme);
  RangeObserver(const RangeObserver& other);
  RangeObserver& operator=(const RangeObserver& other);
  RangeObserver(RangeObserver&&) noexcept = default;
  RangeObserver& operator=(RangeObserver&&) noexcept = default;
  ~RangeObserver() = default;

  /// One of the same pass that has seen nothing in it, for another task.
  RangeObserver part() const;
  /// `values` [tokens, channels] (any piece of the node) belong to batch number `batch`; `head` is
  /// whose probabilities they are, read when per_head.
  void observe(const ConstMatrixView& values, std::int64_t batch, Index head = 0);
  /// Takes in a part of the same pass.
  void merge(const RangeObserver& other);
  /// Ends a pass. True when the same values are to be observed once more. MinMax and AvgMinMax
  /// never want that, and may leave it out. Throws: InputError as `finish`.
  bool end_pass();
  /// One range, or one per channel or head.
  /// REQUIRES: end_pass() said that no other pass is wanted.
  /// Throws: InputError when nothing was observed, a value was NaN or infinite, or was negative
  /// where codes are not uniform.
  std::vector<Range> finish() const;

 private:
  void require_valid() const;

  TensorScheme scheme_;
  BatchRanges extrema_;
  bool first_pass_ = true;
  std::unique_ptr<RangePasses> passes_;  // empty when extrema are enough
};

}  // namespace evenkeel
