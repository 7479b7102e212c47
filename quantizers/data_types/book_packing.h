// The parts of a stored weight of a signed code book ("code-book" in quantizers/packing.h): what
// they are, their bytes, and the way back. Private to packing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "io/stored_tensor.h"
#include "quantizers/packed_parts.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

std::vector<PackedPart> book_parts(const std::string& module, Index rows, Index columns,
                                   const TensorScheme& weights);

/// REQUIRES: one of book_parts, and no shape.
std::vector<std::byte> book_bytes(const PackedPart& part, const QuantizedWeight& weight);

/// Gives `weight`, whose scheme and sizes are known, what the tensor holds of it. REQUIRES: as
/// above; the tensor has the part's dtype and shape. Throws: InputError when it cannot be right.
void unpack_book(const StoredTensor& tensor, const PackedPart& part, QuantizedWeight& weight);

}  // namespace evenkeel
