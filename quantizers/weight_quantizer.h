// Weights [out, in] to codes and back.
#pragma once

#include <cstdint>
#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// How many of a row's columns share a step: all of them unless per_group, whose last group may be
/// shorter.
Index group_width(const TensorScheme& scheme, Index columns);

/// A weight as codes. Steps and zero points are [rows_of_steps, groups]: per_tensor 1 x 1,
/// per_channel out x 1, per_group out x ceil(in / group_size).
struct QuantizedWeight {
  TensorScheme scheme;
  Index rows = 0;
  Index columns = 0;
  std::vector<std::int16_t> codes;  // [rows, columns], row-major, in the scheme's code range
  std::vector<float> steps;
  std::vector<std::int32_t> zero_points;

  Index groups() const;  // groups of one row: 1 unless per_group
};

/// Codes of `weight` with the scheme's range of the values that share a step, each rounded
/// to the nearest, whatever the scheme's rounding: for gptq see quantizers/gptq.h.
/// REQUIRES: faults_of(scheme) is empty; weight finite and not empty.
QuantizedWeight quantize_weight(const ConstMatrixView& weight, const TensorScheme& scheme);

/// step * (code - zero_point). The same floats as `fake_quantize_weight` gives.
Matrix dequantize_weight(const QuantizedWeight& weight);

/// Quantize then dequantize in place, without keeping codes, rounded to the nearest.
void fake_quantize_weight(MatrixView weight, const TensorScheme& scheme);

}  // namespace evenkeel
