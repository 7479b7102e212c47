// What a way of estimating ranges is: all that the rest of the program knows of one.
//
// To add one: a value of RangeEstimator (scheme.h), a file range_NAME.cpp that defines its
// RangeMethod, and its line in range_method.cpp. Numbers of its own are members of TensorScheme and
// lines of scheme_options.cpp. Job files, records, validation, weights, static and dynamic
// activations then have it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/matrix.h"
#include "quantizers/batch_ranges.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// A static estimate that has to see values, and not only their extrema, in one or more passes over
/// the same values. Bounded in memory. Not thread-safe; one part per task, then merge.
class RangePasses {
 public:
  RangePasses() = default;
  virtual ~RangePasses() = default;
  RangePasses(const RangePasses&) = delete;
  RangePasses& operator=(const RangePasses&) = delete;

  virtual std::unique_ptr<RangePasses> clone() const = 0;
  /// Of the same pass, with nothing seen in it.
  virtual std::unique_ptr<RangePasses> part() const = 0;
  /// `values` [tokens, channels], which may hold NaN in the first pass, belong to that batch;
  /// `head` is read when per_head.
  virtual void observe(const ConstMatrixView& values, std::int64_t batch, Index head) = 0;
  /// Adds what a part of this pass saw. REQUIRES: the same type and scheme.
  virtual void merge(const RangePasses& other) = 0;
  /// Ends a pass, over values that were all finite; `extrema` of each part. True when another is
  /// wanted.
  virtual bool end_pass(const std::vector<Range>& extrema) = 0;
  /// Of each part. REQUIRES: end_pass said that no other pass is wanted.
  virtual std::vector<Range> finish() const = 0;
};

struct RangeMethod {
  RangeEstimator id;
  std::string_view name;
  /// Why tensors of that scheme cannot have it, and what to use; one line.
  std::optional<std::string> (*fault)(const TensorScheme& scheme, bool activations);
  /// Of values that are all at hand, weights or dynamic activations, and finite; `extrema` are
  /// theirs. nullptr: only static activations have it
  /// (what ignores the fault gets MinMax).
  Range (*of_values)(const ConstMatrixView& values, Range extrema,
                     const TensorScheme& scheme) = nullptr;
  /// Of static activations: from the extrema of the batches, or else by passes.
  std::vector<Range> (*of_batches)(const BatchRanges& batches) = nullptr;
  std::unique_ptr<RangePasses> (*passes)(const TensorScheme& scheme) = nullptr;
  /// Whether it matters which samples form a batch.
  bool reads_batches = false;
};

std::span<const RangeMethod* const> range_methods();
const RangeMethod& method_of(RangeEstimator id);

/// The range of values that share a step, weights or dynamic activations, by the scheme's
/// estimator; the extrema when it has no `of_values`, or they are not finite.
/// REQUIRES: values not empty.
Range range_by(const TensorScheme& scheme, const ConstMatrixView& values);
Range range_by(const TensorScheme& scheme, std::span<const float> values);

}  // namespace evenkeel
