// The error of a site's output under quantization, for one candidate transform at a time.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "model/attention.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/scheme.h"
#include "transforms/site.h"

namespace evenkeel {

/// What is scored: the site's input, shifted already, and what reads it.
struct ScoredSite {
  std::vector<Matrix> inputs;    // per sample [tokens, channels], after the shift
  std::vector<TokenMask> masks;  // per sample, or empty: no padding. Padding is not scored.
  Matrix weight;                 // the readers' weights stacked, [outputs, channels]
  Vector bias;                   // the readers' biases stacked, shift included; or empty: zero.
                                 // Only the attention objective reads it.
  Objective objective = Objective::linear;
  /// For Objective::attention: `weight` stacks query, key and value, and queries are scaled by
  /// (channels / heads)^-0.5.
  AttentionOptions attention;
};

/// A scale to try and how the scaled input is quantized.
struct Candidate {
  Vector scale;               // [channels]; divides the input, multiplies the weight
  ActivationQuantizer input;  // of the shifted and scaled input
};

/// Loss of candidates against the full-precision output, which is computed once, at construction.
/// Thread-safe: `loss` is const and keeps its buffers on the caller's side.
class SiteScorer {
 public:
  /// REQUIRES: at least one sample with a token that is not padding; sizes agree.
  SiteScorer(ScoredSite site, const TensorScheme& weights);

  const ScoredSite& site() const { return site_; }

  /// Mean over tokens of the sum over channels of squared differences between the output with
  /// quantized input and weight and the full-precision one (products of q, k, v are not
  /// quantized). Sums run over pieces of tokens in order, in double, so the value depends on
  /// nothing else. Nothing when the candidate was dropped: its partial sum exceeded `bound`, or
  /// reached it and `tie_loses`. As all terms are non-negative, a dropped candidate's loss exceeds
  /// `bound` (or equals it).
  std::optional<double> loss(const Candidate& candidate,
                             double bound = std::numeric_limits<double>::infinity(),
                             bool tie_loses = false) const;

 private:
  class Accumulator;
  struct Buffers;
  bool add_linear(std::size_t sample, const Candidate& candidate, const Matrix& weight,
                  Buffers& buffers, Accumulator& sum) const;
  bool add_attention(std::size_t sample, const Candidate& candidate, const Matrix& weight,
                     Buffers& buffers, Accumulator& sum) const;
  void project(const ConstMatrixView& x, const Matrix& weight, Buffers& buffers) const;
  const TokenMask& mask(std::size_t sample) const;

  ScoredSite site_;
  TensorScheme weights_;
  std::vector<Matrix> outputs_;  // full-precision output of each sample
  double tokens_ = 0.0;          // scored tokens of all samples
};

}  // namespace evenkeel
