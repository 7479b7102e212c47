// The operations of a block written plainly in double, each with a bound on how far an evaluation
// in float may lie away. Bounds follow from the operands' magnitudes and float's epsilon, for sums
// in any order.
#pragma once

#include <vector>

#include "model/attention.h"
#include "model/block.h"
#include "model/rotary.h"
#include "support/within.h"

namespace evenkeel::support {

/// Floats taken as they are.
Bounded exactly(const ConstMatrixView& values);

Bounded sum_of(const Bounded& a, const Bounded& b);
Bounded product_of(const Bounded& a, double factor);

/// x * weight^T + bias.
Bounded slow_linear(const Bounded& x, const ConstMatrixView& weight, const Vector& bias);

/// (x - mean) / sqrt(variance + epsilon) * gain + bias, by row.
Bounded slow_layer_norm(const Bounded& x, const Vector& gain, const Vector& bias, double epsilon);

/// x / sqrt(mean(x^2) + epsilon) * (gain + extra), by row.
Bounded slow_rms_norm(const Bounded& x, const Vector& gain, double extra, double epsilon);

/// Channels of each head turned by row * frequency, the frequencies taken as they are.
Bounded slow_rotation(RotaryPairs pairs, const std::vector<float>& frequencies, Index head_channels,
                      const Bounded& x);

/// softmax of each head's scores, [tokens, tokens]: q k^T, capped, with ALiBi, under the masks.
std::vector<Bounded> slow_probabilities(const ConstMatrixView& q, const ConstMatrixView& k,
                                        const TokenMask& mask, const AttentionOptions& options);

/// Concatenation over heads of probabilities * v, [tokens, heads * width]; v [tokens,
/// key_value_heads * width], as many as heads when 0.
Bounded slow_weighted(const std::vector<Bounded>& probabilities, const ConstMatrixView& v,
                      Index key_value_heads = 0);

}  // namespace evenkeel::support
