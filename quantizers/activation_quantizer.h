// Fake quantization of activations [tokens, channels], static or dynamic.
#pragma once

#include <cstdint>
#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Thread-safe: `apply` is const and touches only its argument.
class ActivationQuantizer {
 public:
  /// A dynamic one (per_token, per_group), or one that changes nothing (16 bits).
  /// REQUIRES: is_dynamic(scheme).
  explicit ActivationQuantizer(const TensorScheme& scheme);
  /// A static one: one range (per_tensor) or one per channel (per_channel).
  /// REQUIRES: !is_dynamic(scheme), ranges finite.
  ActivationQuantizer(const TensorScheme& scheme, std::vector<Range> ranges);

  const TensorScheme& scheme() const { return scheme_; }
  /// Empty when dynamic.
  const std::vector<Range>& ranges() const { return ranges_; }
  /// Step and zero point of each range; empty when dynamic.
  const std::vector<AffineParameters>& parameters() const { return parameters_; }

  /// Replaces each value by step * (code - zero_point). NaN stays NaN; with a dynamic scheme a NaN
  /// or infinity turns every value that shares its range into NaN. With per_channel,
  /// REQUIRES: values.cols() == ranges().size().
  void apply(MatrixView values) const;

 private:
  void apply_dynamic(MatrixView& values, CodeRange range) const;

  TensorScheme scheme_;
  std::vector<Range> ranges_;
  std::vector<AffineParameters> parameters_;
  std::vector<float> steps_;               // per_channel, for the kernel
  std::vector<std::int32_t> zero_points_;  // likewise
};

}  // namespace evenkeel
