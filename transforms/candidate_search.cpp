#include "transforms/candidate_search.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "transforms/fast_search.h"

namespace evenkeel {
namespace {

constexpr std::array probe{Share::probe};
constexpr std::array behind_probe{Share::first, Share::second, Share::rest};

}  // namespace

GridResult search_candidates(const SiteScorer& scorer, std::size_t count, Search search,
                             const std::function<Candidate(std::size_t)>& candidate) {
  std::vector<SiteScorer::Parts> parts;
  if (search != Search::exhaustive && scorer.has_shares()) {
    parts.assign(count, scorer.nothing_known());
  }
  if (search == Search::fast && !parts.empty()) {
    return fast_search(count, [&](std::size_t i, std::span<const Share> shares) {
      scorer.add(candidate(i), shares, parts[i]);
      return parts[i].sum();
    });
  }
  if (search == Search::exhaustive || parts.empty() || !scorer.shares_are_samples()) {
    return grid_search(count, search, [&](std::size_t i, double bound, bool tie_loses) {
      return scorer.loss(candidate(i), bound, tie_loses);
    });
  }
  const auto first_part = [&](std::size_t i) {
    scorer.add(candidate(i), probe, parts[i]);
    return parts[i].sum();
  };
  const auto loss = [&](std::size_t i, double bound, bool tie_loses) -> std::optional<double> {
    if (parts[i].sum() > bound) return std::nullopt;
    if (!scorer.add(candidate(i), behind_probe, parts[i], bound, tie_loses)) return std::nullopt;
    return parts[i].sum();
  };
  return probed_search(count, first_part, loss);
}

}  // namespace evenkeel
