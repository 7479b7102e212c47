// Figures of tokens: what quantizing an activation costs, and how far its values spread.
// Source: Ahmadian et al. 2023, "Intriguing properties of quantization at scale".
#pragma once

#include "io/matrix.h"

namespace evenkeel {

/// Streaming, over every token of [tokens, channels]:
///   RMSE(X, X^) = sqrt(mean of (x - x^)^2 over tokens and channels), X^ in symmetric codes of some
///     bits (quantizers/affine.h) with the step absmax / (2^(bits - 1) - 1), once with the absmax
///     of each token and once with one absmax for all tokens;
///   the population standard deviation of a token over its channels, as a mean over tokens.
/// Sums in double, token by token; NaN makes a figure NaN. Not thread-safe; one per sample, then
/// merge in sample order.
class TokenFigures {
 public:
  /// `absmax`: of all tokens, those to come included. REQUIRES: 2 <= bits <= 8; the same absmax,
  /// bits and channels each time.
  void observe(const ConstMatrixView& values, float absmax, int bits);
  void merge(const TokenFigures& other);

  // Of nothing, 0.
  double rmse_per_token() const;
  double rmse_per_tensor() const;
  double deviation() const;

 private:
  double tokens_ = 0.0;
  double values_ = 0.0;     // tokens x channels
  double per_token_ = 0.0;  // sums of squared errors
  double per_tensor_ = 0.0;
  double deviations_ = 0.0;  // sum over tokens
};

}  // namespace evenkeel
