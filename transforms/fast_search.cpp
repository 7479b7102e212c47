#include "transforms/fast_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <tbb/parallel_for.h>

namespace evenkeel {
namespace {

// What these are was found on curves of four models at 4, 6 and 8 bits: their least loss lies where
// a steep fall ends in a plateau, in a valley of a few candidates whose losses vary by some per
// cent from one to the next.
constexpr std::size_t stride = 3;
constexpr std::size_t reach = 6;     // of a good candidate's neighbours, to either side
constexpr std::size_t centres = 3;   // good candidates at a time
constexpr int looks = 3;             // around them
constexpr double second_part = 0.2;  // of the grid
constexpr double last_part = 0.05;   // likewise
constexpr std::size_t short_list = 12;

constexpr std::array first_shares{Share::probe, Share::first};
constexpr std::array second_shares{Share::second};
constexpr std::array last_shares{Share::rest};

using Candidates = std::vector<std::size_t>;

class Screening {
 public:
  Screening(std::size_t count, const CandidateShares& loss)
      : loss_(loss), sums_(count, 0.0), seen_(count, false) {}

  GridResult run() {
    const bool whole = sums_.size() <= short_list;
    look(whole ? 1 : stride);
    const Candidates second = best_of(ranked_, whole ? sums_.size() : part(second_part));
    score(second, second_shares);
    const Candidates last = best_of(second, whole ? sums_.size() : part(last_part));
    score(last, last_shares);
    GridResult result;
    result.losses.assign(sums_.size(), std::numeric_limits<double>::quiet_NaN());
    for (const std::size_t i : last) result.losses[i] = sums_[i];
    result.best = best_of(last, 1).front();
    return result;
  }

 private:
  std::size_t part(double of_grid) const {
    return static_cast<std::size_t>(std::ceil(of_grid * static_cast<double>(sums_.size())));
  }

  // On the first share: the grid in steps, then what lies near the best.
  void look(std::size_t step) {
    Candidates coarse;
    for (std::size_t i = step / 2; i < sums_.size(); i += step) coarse.push_back(i);
    score_first(coarse);
    for (int number = 0; step > 1 && number < looks; ++number) {
      Candidates near;
      for (const std::size_t centre : best_of(ranked_, centres)) {
        const std::size_t end = std::min(centre + reach + 1, sums_.size());
        for (std::size_t i = centre - std::min(centre, reach); i < end; ++i) near.push_back(i);
      }
      score_first(near);
    }
  }

  void score_first(const Candidates& candidates) {
    Candidates fresh;
    for (const std::size_t i : candidates) {
      if (seen_[i]) continue;
      seen_[i] = true;
      fresh.push_back(i);
    }
    score(fresh, first_shares);
    ranked_.insert(ranked_.end(), fresh.begin(), fresh.end());
  }

  void score(const Candidates& candidates, std::span<const Share> shares) {
    tbb::parallel_for(std::size_t{0}, candidates.size(), [&](std::size_t i) {
      const double found = loss_(candidates[i], shares);
      require_number(found);
      sums_[candidates[i]] = found;
    });
  }

  // Lower loss first, and of equal ones the earlier.
  Candidates best_of(Candidates candidates, std::size_t count) const {
    std::ranges::sort(candidates, [this](std::size_t a, std::size_t b) {
      return sums_[a] < sums_[b] || (sums_[a] == sums_[b] && a < b);
    });
    candidates.resize(std::min(count, candidates.size()));
    return candidates;
  }

  const CandidateShares& loss_;
  std::vector<double> sums_;  // of the shares seen
  std::vector<bool> seen_;
  Candidates ranked_;  // seen on the first share
};

}  // namespace

GridResult fast_search(std::size_t count, const CandidateShares& loss) {
  GridResult result = Screening(count, loss).run();
  require_finite(result);
  return result;
}

}  // namespace evenkeel
