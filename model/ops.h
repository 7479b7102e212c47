// The elementwise and rowwise operations of a forward pass. With quantizers/gemm.h this is all
// that a forward touches, so that another backend can stand in its place.
//
// Kernels are pure functions on caller-owned memory, single-threaded, vectorised with Highway and
// dispatched at run time.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "io/matrix.h"

namespace evenkeel {

/// out = (x - mean) / sqrt(variance + epsilon) * gain + bias, by row; the variance is the biased
/// one, taken around the mean. An empty bias counts as zero.
/// REQUIRES: x, out [tokens, channels], gain [channels], bias [channels] or empty.
void layer_norm(const ConstMatrixView& x, const ConstVectorView& gain, const ConstVectorView& bias,
                float epsilon, MatrixView out);

enum class NormKind {
  layer,         // layer_norm
  rms,           // x / sqrt(mean(x^2) + epsilon) * gain
  rms_plus_one,  // the same times 1 + gain (Gemma)
};

/// What a norm of that kind multiplies by, less its gain.
constexpr float gain_offset(NormKind kind) { return kind == NormKind::rms_plus_one ? 1.0F : 0.0F; }

/// The norm of that kind, by row. A bias other than empty is read by `layer` alone.
/// REQUIRES: as layer_norm; out may be x.
void normalize(NormKind kind, const ConstMatrixView& x, const ConstVectorView& gain,
               const ConstVectorView& bias, float epsilon, MatrixView out);

/// values = softmax(values), shifted by the maximum. A row whose every value is -infinity (all
/// keys masked) becomes zero; one that holds NaN or +infinity becomes NaN.
/// REQUIRES: values not empty.
void softmax(std::span<float> values);

/// log(sum(exp(values))) and the pieces to combine it over chunks of a row:
/// the maximum, and the sum of exp(value - maximum). NaN or +infinity makes the value NaN.
struct LogSumExp {
  double maximum = 0.0;
  double sum = 0.0;  // 0: nothing seen yet
  void add(std::span<const float> values);
  double value() const;
};

enum class Activation { relu, gelu, gelu_tanh, silu };

/// In place; NaN stays NaN; gelu is the exact one, x * Phi(x), gelu_tanh its usual approximation
/// by tanh; silu is x * sigmoid(x).
void activate(Activation kind, MatrixView values);

}  // namespace evenkeel
