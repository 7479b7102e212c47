// Streaming range estimates, mergeable so that threads, ranks and resumed runs combine.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Ranges of an activation for a static scheme, over samples that belong to batches.
/// The result depends on what was observed, not on the order or on how it was split and merged:
/// extrema are kept per batch, and the mean over batches is taken in batch order, in double.
/// NaN is an error of the model: `finish` throws. Not thread-safe; one per task, then merge.
class RangeObserver {
 public:
  /// REQUIRES: !is_dynamic(scheme).
  explicit RangeObserver(const TensorScheme& scheme) : scheme_(scheme) {}

  /// `values` [tokens, channels] (any piece of the node) belong to batch number `batch`; `head` is
  /// whose probabilities they are, read when per_head.
  void observe(const ConstMatrixView& values, std::int64_t batch, Index head = 0);
  void merge(const RangeObserver& other);
  /// One range, or one per channel or head.
  /// Throws: InputError when nothing was observed, a value was NaN or infinite, or was negative
  /// where codes are not uniform.
  std::vector<Range> finish() const;

 private:
  void add(std::int64_t batch, const std::vector<Range>& ranges);

  TensorScheme scheme_;
  std::map<std::int64_t, std::vector<Range>> batches_;
};

}  // namespace evenkeel
