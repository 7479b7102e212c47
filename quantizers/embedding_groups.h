// Per-embedding-group ranges: channels in a few groups, each with the widest range in it.
//
// Source: Bondarenko et al. 2021, "Understanding and Overcoming the Challenges of Efficient
// Transformer Quantization", section 4: groups of neighbours, or with `permute` of channels sorted
// by the width of their ranges (range-based permutation; a fold, so that a kernel sees neighbours).
#pragma once

#include <cstddef>
#include <vector>

#include "quantizers/affine.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// The group of each channel: as equal in number as can be, the first ones one larger; sorting is
/// stable, narrow ranges first. No more groups than channels.
/// REQUIRES: granularity per_embedding_group, faults_of it empty; ranges finite.
std::vector<std::size_t> embedding_groups(const std::vector<Range>& channels,
                                          const TensorScheme& scheme);

/// Each channel's range widened to that of its group.
std::vector<Range> shared_ranges(std::vector<Range> channels,
                                 const std::vector<std::size_t>& groups);

}  // namespace evenkeel
