// Values of a stored tensor, for comparisons.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "io/safetensors.h"

namespace evenkeel::support {

/// Any numeric dtype, flattened.
std::vector<double> doubles_of(const StoredTensor& tensor);
/// A float tensor: leading dimensions are rows, the last is columns; one dimension is one row.
Matrix matrix_of(const StoredTensor& tensor);
/// An integer tensor's rows, the last dimension long.
std::vector<Tokens> token_rows_of(const StoredTensor& tensor);

}  // namespace evenkeel::support
