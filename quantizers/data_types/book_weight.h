// Weights [out, in] to the codes of a signed code book and back.
//
// Block-wise absmax: those that share a step (a block of the tensor seen as one sequence, a group
// or row of it, or all) are divided by their largest magnitude, which is kept in 16 bits (F16), and
// take the nearest code. `centered` takes their mean, kept likewise, from them before; in the paper
// as here it gains nothing, as weights have nearly none, and it costs 16 bits.
// Source: Dettmers & Zettlemoyer 2022, sections 2 and 5.
#pragma once

#include <span>
#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// How many of so many columns stay in 16 bits: proxy_percent of them, rounded up.
Index kept_columns(const TensorScheme& scheme, Index columns);

/// How many values share each step, in the order of the sequence of `columns` columns (those that
/// are not kept) of `rows` rows. REQUIRES: is_signed_book(scheme.codes).
std::vector<Index> book_runs(const TensorScheme& scheme, Index rows, Index columns);

/// How many runs there are, without a list of them.
Index book_constants(const TensorScheme& scheme, Index rows, Index columns);

/// The constant of values that share one. Throws: InputError when it is beyond the range of F16.
float book_constant(std::span<const float> values);

/// The values of quantile codes are found from the columns that are not kept, as they are.
/// REQUIRES: is_signed_book(scheme.codes), else as quantize_weight. Throws: InputError when a
/// constant or a kept weight is beyond the range of F16.
QuantizedWeight quantize_by_book(const ConstMatrixView& weight, const TensorScheme& scheme,
                                 std::span<const Index> kept);

/// As dequantize_weight.
Matrix dequantize_by_book(const QuantizedWeight& weight);

/// How often each code is used. REQUIRES: of a signed code book.
std::vector<std::uint64_t> code_uses(const QuantizedWeight& weight);

}  // namespace evenkeel
