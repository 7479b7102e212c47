// The coarse-to-fine search over a list of candidates.
#pragma once

#include <cstddef>
#include <functional>

#include "transforms/grid_search.h"
#include "transforms/sample_shares.h"

namespace evenkeel {

/// The part of candidate i's loss that a share of the tokens has; the shares' add up to the loss.
/// Called from several threads at once.
using CandidateShare = std::function<double(std::size_t candidate, Share share)>;

/// A candidate whose loss is close to the least one, for about a quarter of the work of scoring
/// all, and on no more of the grid than its curve asks for. On the first share of the tokens every
/// third candidate is scored, and then all of those near the best ones; the best third of the grid
/// gets a second share, and the best twelfth all tokens. `best` is the best of these; `losses` of
/// the others are NaN. The outcome does not depend on the threads.
///
/// A short list is scored whole. REQUIRES: count > 0. Throws: InputError as grid_search.
GridResult fast_search(std::size_t count, const CandidateShare& loss);

}  // namespace evenkeel
