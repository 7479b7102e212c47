#include "transforms/candidate_search.h"

#include "transforms/fast_search.h"

namespace evenkeel {

GridResult search_candidates(const SiteScorer& scorer, std::size_t count, Search search,
                             const std::function<Candidate(std::size_t)>& candidate) {
  if (search == Search::fast && scorer.has_shares()) {
    return fast_search(count, [&](std::size_t i, Share share) {
      return scorer.loss_of_share(candidate(i), share);
    });
  }
  return grid_search(count, search, [&](std::size_t i, double bound, bool tie_loses) {
    return scorer.loss(candidate(i), bound, tie_loses);
  });
}

}  // namespace evenkeel
