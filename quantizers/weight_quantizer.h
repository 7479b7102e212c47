// Weights [out, in] to codes and back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// How many of a row's columns share a step: all of them unless per_group, whose last group may be
/// shorter.
Index group_width(const TensorScheme& scheme, Index columns);

/// What only weights of a signed code book have (quantizers/data_types/book_weight.h).
struct BookPart {
  std::vector<float> values;  // of the codes, ascending
  std::vector<float> means;   // by step; empty unless centered
  std::vector<Index> kept;    // columns that stay in 16 bits, ascending; they have no codes
  Matrix kept_weight;         // [rows, kept], each a 16-bit float
};

/// A weight as codes. Steps and zero points are [rows_of_steps, groups]: per_tensor 1 x 1,
/// per_channel out x 1, per_group out x ceil(in / group_size). Of a signed code book: codes are
/// positions in it, of the columns that are not kept; steps are the constants, also per_block (in
/// the order of the sequence), and there are no zero points.
struct QuantizedWeight {
  TensorScheme scheme;
  Index rows = 0;
  Index columns = 0;
  std::vector<std::int16_t> codes;  // [rows, columns], row-major, in the scheme's code range
  std::vector<float> steps;
  std::vector<std::int32_t> zero_points;
  BookPart book = {};

  Index groups() const;  // groups of one row: 1 unless per_group
};

/// Codes of `weight` with the scheme's range of the values that share a step, each rounded
/// to the nearest, whatever the scheme's rounding: for gptq see quantizers/gptq.h. `kept` columns,
/// ascending, stay in 16 bits. REQUIRES: faults_of(scheme) is empty; weight finite and not empty;
/// as many kept columns as kept_columns(scheme, weight.cols()). Throws: InputError as
/// quantize_by_book.
QuantizedWeight quantize_weight(const ConstMatrixView& weight, const TensorScheme& scheme,
                                std::span<const Index> kept = {});

/// step * (code - zero_point). The same floats as `fake_quantize_weight` gives.
Matrix dequantize_weight(const QuantizedWeight& weight);

/// Quantize then dequantize in place, without keeping codes, rounded to the nearest. No column is
/// kept, whatever the scheme says.
void fake_quantize_weight(MatrixView weight, const TensorScheme& scheme);

}  // namespace evenkeel
