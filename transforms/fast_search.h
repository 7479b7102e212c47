// The coarse-to-fine search over a list of candidates.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "transforms/grid_search.h"
#include "transforms/sample_shares.h"

namespace evenkeel {

/// Adds shares of the tokens to what is known of candidate i's loss, and says what that is then: of
/// all shares, the loss. Each share is asked for once. Called from several threads at once, for
/// different candidates.
using CandidateShares = std::function<double(std::size_t candidate, std::span<const Share> shares)>;

/// A candidate whose loss is close to the least one, for about a fifth of the work of scoring all,
/// and on no more of the grid than its curve asks for. On the first share of the tokens every third
/// candidate is scored, and then all of those near the best ones; the best fifth of the grid gets a
/// second share, and the best twentieth all tokens. `best` is the best of these; `losses` of
/// the others are NaN. The outcome does not depend on the threads.
///
/// A short list is scored whole. REQUIRES: count > 0. Throws: InputError as grid_search.
GridResult fast_search(std::size_t count, const CandidateShares& loss);

}  // namespace evenkeel
