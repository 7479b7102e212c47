// Fake quantization of activations [tokens, channels], static or dynamic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"
#include "quantizers/codebook.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Thread-safe: `apply` is const and touches only its argument.
class ActivationQuantizer {
 public:
  /// A dynamic one (per_token, per_group), or one that changes nothing (16 bits).
  /// REQUIRES: is_dynamic(scheme).
  explicit ActivationQuantizer(const TensorScheme& scheme);
  /// A static one: one range (per_tensor), one per channel (per_channel,
  /// per_embedding_group) or head (per_head).
  /// REQUIRES: !is_dynamic(scheme), ranges finite.
  ActivationQuantizer(const TensorScheme& scheme, std::vector<Range> ranges);

  const TensorScheme& scheme() const { return scheme_; }
  /// Empty when dynamic.
  const std::vector<Range>& ranges() const { return ranges_; }
  /// Step and zero point of each range; empty when dynamic, or when codes are not uniform.
  const std::vector<AffineParameters>& parameters() const { return parameters_; }

  /// Replaces each value by step * (code - zero_point), or by the nearest of its codebook. `head`
  /// is whose probabilities they are, read when per_head. NaN stays NaN; with a dynamic scheme a
  /// NaN or infinity turns every value that shares its range into NaN. With outlier_threshold,
  /// `values` are one sequence's, as its columns are looked through. With one range per channel,
  /// REQUIRES: values.cols() == ranges().size(); with per_head, head < ranges().size().
  void apply(MatrixView values, Index head = 0) const;

 private:
  void apply_static(MatrixView& values, std::size_t range) const;
  void apply_each_channel(MatrixView& values) const;
  void apply_dynamic(MatrixView& values) const;
  void apply_without_outliers(MatrixView& values) const;
  void quantize_by_own_range(std::span<float> values) const;

  TensorScheme scheme_;
  std::vector<Range> ranges_;
  std::vector<AffineParameters> parameters_;
  std::vector<float> fractions_;           // of the codebook; empty when codes are uniform
  std::vector<Codebook> codebooks_;        // of each range
  std::vector<float> steps_;               // one per channel, for the kernel
  std::vector<std::int32_t> zero_points_;  // likewise
};

}  // namespace evenkeel
