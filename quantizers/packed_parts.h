// What the stored tensors of one linear are, in order: the one description that planning, packing
// and unpacking share. Private to them; packing.h says what each part holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/matrix.h"
#include "io/safetensors.h"
#include "quantizers/code_words.h"
#include "quantizers/packing.h"
#include "quantizers/scheme.h"

namespace evenkeel {

struct PackedPart {
  enum class Kind {
    codes,
    shape,
    steps,
    zero_points,
    input_step,
    input_zero_point,
  };
  Kind kind = Kind::codes;
  TensorPlan plan;
  std::optional<CodeWords> words;  // of codes and zero points; empty: a byte each
};

/// The parts of a weight. REQUIRES: no `packing_fault`.
std::vector<PackedPart> weight_parts(const std::string& module, Index rows, Index columns,
                                     const Scheme& scheme);

/// The parts that say how the linear's input is quantized; none when that is not stored.
std::vector<PackedPart> input_parts(const std::string& module, const TensorScheme& activations);

/// What is added to a code to store it: so that it fits a signed byte, or the unsigned numbers of
/// words.
int stored_offset(const TensorScheme& scheme, const PackedPart& part);

}  // namespace evenkeel
