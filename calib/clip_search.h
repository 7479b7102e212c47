// How many tokens token-wise clipping cuts (RangeEstimator::token_wise_clipping), searched for a
// block.
//
// Source: Wei et al. 2022, Outlier Suppression, Algorithm 1's coarse stage, and its published
// program: fractions 0, 0.005, 0.010, ... (the step for batches of 32 windows of 256 tokens; the
// program's own step depends on them) up to 0.1 at 8 bits, 0.3 at 6 and 0.9 at 4; ranges observed
// with no node quantized; of equal losses the smaller fraction. The program scores the whole
// model's output; here it is the output of the block.
#pragma once

#include <cstddef>

#include "calib/hidden_stream.h"
#include "model/block.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Whether the fraction of tokens that the static range cuts is to be searched.
bool searches_clip(const TensorScheme& activations);
/// The same of some node of some block.
bool searches_clip(const Scheme& scheme);
/// Whether some static node of the block has a clip to be searched.
bool searches_clip(const Scheme& scheme, Index block);

/// The scheme with `clip` wherever it was to be searched.
Scheme with_clip(Scheme scheme, double clip);

/// The fraction with the least sum of squared differences between the output of `quantized` with
/// all its nodes quantized and that of `full`, over the first `count` windows; one for all nodes of
/// the block. REQUIRES: searches_clip(scheme, full.number), count > 0. Throws: InputError as
/// `observe_ranges`, and when no fraction has a finite sum.
double search_clip(const Architecture& architecture, const Block& full, const Block& quantized,
                   const HiddenStream& stream, std::size_t count, std::size_t batch,
                   const Scheme& scheme);

}  // namespace evenkeel
