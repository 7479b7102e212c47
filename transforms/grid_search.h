// Searches over a list of candidates that find the best one: exhaustive, and with candidates
// dropped early.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "transforms/options.h"

namespace evenkeel {

/// What a search found. `losses[i]` is NaN where candidate i was dropped.
struct GridResult {
  std::size_t best = 0;
  std::vector<double> losses;
};

/// Loss of candidate i; may give up (return nothing) once it is sure that the loss exceeds
/// `bound`, or equals it and `tie_loses`. Called from several threads at once.
using CandidateLoss =
    std::function<std::optional<double>(std::size_t candidate, double bound, bool tie_loses)>;

/// The candidate of least loss; of equal ones the first (OS+ keeps the larger threshold, which it
/// tries first). Candidates run in parallel.
///
/// `exact` gives the same `best`, by this argument: a candidate is dropped only when its loss is
/// sure to exceed the best loss found so far, or to equal it while standing later in the list than
/// the candidate that has it; either way it can't be `best`. Candidates are visited in rounds of
/// fixed size, a coarse sweep first and then those nearest to its winner, and the bound is frozen
/// during a round, so the outcome (dropped ones included) does not depend on the threads.
///
/// `fast` asks for shares of the tokens (fast_search.h); here it is `exact`.
/// REQUIRES: count > 0. Throws: InputError when a loss is NaN or every one infinite.
GridResult grid_search(std::size_t count, Search search, const CandidateLoss& loss);

/// The same `best` as an exact search, where a part of each loss can be had at a part of its cost:
/// `first_part` of all candidates, each at most its loss, says in which order they are visited, and
/// many are dropped by it alone. `loss` is asked for after that.
GridResult probed_search(std::size_t count,
                         const std::function<double(std::size_t candidate)>& first_part,
                         const CandidateLoss& loss);

/// Throws: InputError when a loss is NaN; when the best one is infinite.
void require_number(double loss);
void require_finite(const GridResult& result);

}  // namespace evenkeel
