// Smallest and largest values of an activation's parts (its tensor, channels or heads), batch by
// batch.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Does not depend on the order of what is added or how it was split. Not thread-safe.
class BatchRanges {
 public:
  explicit BatchRanges(Granularity granularity) : granularity_(granularity) {}

  /// `values` [tokens, channels] of batch number `batch`; `head` is read when per_head.
  void observe(const ConstMatrixView& values, std::int64_t batch, Index head);
  void merge(const BatchRanges& other);

  /// Throws: InputError when nothing was observed, or a value was NaN or infinite.
  void require_finite() const;
  /// Throws: InputError when a value was negative. `codes` are those that cannot be.
  void require_no_negative(Codes codes) const;

  /// Of each part over all batches. REQUIRES: something was observed.
  std::vector<Range> whole() const;
  /// The mean of each range's ends over batches, in double and in batch order. REQUIRES: likewise.
  std::vector<Range> mean() const;

 private:
  void add(std::int64_t batch, const std::vector<Range>& ranges);

  Granularity granularity_;
  std::map<std::int64_t, std::vector<Range>> batches_;
};

}  // namespace evenkeel
