// The candidate of a site with the least loss, however the list of them is searched.
#pragma once

#include <cstddef>
#include <functional>

#include "transforms/grid_search.h"
#include "transforms/site_scorer.h"

namespace evenkeel {

/// `candidate(i)` for i in [0, count) are scored by `scorer`, several at once. Where the samples
/// are too few and short to look at a share of them, the fast search is the exact one.
/// REQUIRES: count > 0. Throws: InputError as grid_search.
GridResult search_candidates(const SiteScorer& scorer, std::size_t count, Search search,
                             const std::function<Candidate(std::size_t)>& candidate);

}  // namespace evenkeel
