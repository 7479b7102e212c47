// Fake quantization of values that share one range, whatever the codes.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "quantizers/affine.h"
#include "quantizers/codebook.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Thread-safe: `apply` is const and touches only its argument.
class RangeQuantizer {
 public:
  /// `fractions` as `codebook_fractions` gives, read when codes are not uniform.
  RangeQuantizer(const TensorScheme& scheme, std::span<const float> fractions, Range range);

  /// In place; NaN stays NaN, and with a range that is not finite all becomes NaN.
  void apply(std::span<float> values) const;

  /// Sum over the values of (value - quantized value)^2, in double.
  double squared_error(std::span<const float> values) const;

 private:
  struct Affine {
    AffineParameters parameters;
    CodeRange codes;
  };
  std::variant<Affine, Codebook> quantizer_;
};

/// `codebook_fractions`, or nothing when codes are uniform.
std::vector<float> fractions_of(const TensorScheme& scheme);

}  // namespace evenkeel
