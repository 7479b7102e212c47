// What the stored tensors of one linear are, in order: the one description that planning, packing
// and unpacking share. Private to them; packing.h says what each part holds.
#pragma once

#include <string>
#include <vector>

#include "io/matrix.h"
#include "io/safetensors.h"
#include "quantizers/scheme.h"

namespace evenkeel {

struct PackedPart {
  enum class Kind {
    codes,
    steps,
    zero_points,
    input_step,
    input_zero_point,
  };
  Kind kind = Kind::codes;
  TensorPlan plan;
};

/// The parts of a weight. REQUIRES: no `packing_fault`.
std::vector<PackedPart> weight_parts(const std::string& module, Index rows, Index columns,
                                     const TensorScheme& weights);

/// The parts that say how the linear's input is quantized; none when that is not stored.
std::vector<PackedPart> input_parts(const std::string& module, const TensorScheme& activations);

/// What a stored byte is below its code: 2^(b-1) when asymmetric, else 0.
int byte_offset(const TensorScheme& scheme);
}  // namespace evenkeel
