// What the stored tensors of one linear are, in order: the one description that planning, packing
// and unpacking share. Private to them; packing.h says what each part holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
    constants,  // these and below: of a signed code book
    means,
    code_book,
    kept_columns,
    kept_weight,
  };
  Kind kind = Kind::codes;
  TensorPlan plan;
  std::optional<CodeWords> words;  // of codes and zero points; empty: a byte each
};

PackedPart packed_part(PackedPart::Kind kind, const std::string& module, std::string_view suffix,
                       DType dtype, std::vector<std::int64_t> shape);

std::vector<std::byte> float_bytes(std::span<const float> values, DType dtype = DType::F32);

/// What to say of a stored tensor that cannot be right.
inline constexpr std::string_view damaged_advice =
    "the checkpoint is damaged, or its quantization_config belongs to another one";

/// Each of which `is_right`; `what` one is, and what is `expected` of it, are for the message.
/// Throws: InputError.
std::vector<float> stored_floats(const StoredTensor& tensor, std::string_view what,
                                 std::string_view expected, bool (*is_right)(float));

/// The parts of a weight. REQUIRES: no `packing_fault`.
std::vector<PackedPart> weight_parts(const std::string& module, Index rows, Index columns,
                                     const Scheme& scheme);

/// The parts that say how the linear's input is quantized; none when that is not stored.
std::vector<PackedPart> input_parts(const std::string& module, const TensorScheme& activations);

/// What is added to a code to store it: so that it fits a signed byte, or the unsigned numbers of
/// words.
int stored_offset(const TensorScheme& scheme, const PackedPart& part);

}  // namespace evenkeel
