// Which input dimensions of a linear are likely to carry outliers, told from weights alone: those
// made by hidden units whose weights vary most.
// Source: Dettmers & Zettlemoyer 2022, section 3 ("proxy quantization").
#pragma once

#include <optional>
#include <vector>

#include "io/checkpoint.h"
#include "model/architecture.h"
#include "model/stored_linears.h"

namespace evenkeel {

/// What makes the inputs of a linear: query, key, value (and an MLP beside the attention) read what
/// the previous block's down gave (of a mixture its first expert's); output reads value, an MLP
/// output; down reads up.
struct ProxyProducer {
  Index block;
  LinearPlace place;
};
/// Nothing for what reads the first block's input, which no linear of a block made.
std::optional<ProxyProducer> proxy_producer(const Architecture& architecture, Index number,
                                            const StoredLinear& reader);

/// For each column of the reader, the standard deviation (divided by the count) of the weights of
/// the row that produces it, as the checkpoint stores them. A row of value counts for each query
/// head that reads it. REQUIRES: proxy_producer gives one. Throws: InputError as load_weight.
std::vector<double> proxy_deviations(const Checkpoint& checkpoint, const Architecture& architecture,
                                     Index number, const StoredLinear& reader);

/// The `count` columns of the reader whose producing rows have the largest standard deviations
/// (of two alike the first), ascending. REQUIRES: proxy_producer gives one; count at most the
/// columns. Throws: InputError as load_weight.
std::vector<Index> proxy_columns(const Checkpoint& checkpoint, const Architecture& architecture,
                                 Index number, const StoredLinear& reader, Index count);

}  // namespace evenkeel
