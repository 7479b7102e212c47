// One linear's weight by its scheme, with the input dimensions that stay in 16 bits.
#pragma once

#include <functional>
#include <vector>

#include "io/checkpoint.h"
#include "model/architecture.h"
#include "model/stored_linears.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// The `count` columns of a linear of block `number` that stay in 16 bits.
using KeptColumns =
    std::function<std::vector<Index>(Index number, const StoredLinear& stored, Index count)>;

/// By model/proxy_columns.h, of the checkpoint's weights as they are stored, whatever is folded
/// into them. Both references must outlive what is given.
KeptColumns proxies_of(const Checkpoint& checkpoint, const Architecture& architecture);

/// `weight` of the linear, rounded to the nearest. REQUIRES: `kept` unless the scheme keeps none.
/// Throws: InputError with the linear's name, as quantize_weight.
QuantizedWeight quantize_linear(const Matrix& weight, const Scheme& scheme, Index number,
                                const StoredLinear& stored, const KeptColumns& kept);

}  // namespace evenkeel
