#include "transforms/grid_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <tbb/parallel_for.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// Candidates scored against one frozen bound. More use more threads, fewer tighten the bound
// sooner; the number is part of the result (which candidates are dropped), so it is fixed.
constexpr std::size_t round_size = 8;
// Where the first to come is likely the best, and the samples of a candidate keep the threads busy.
constexpr std::size_t probed_round_size = 4;

class Rounds {
 public:
  Rounds(std::size_t count, const CandidateLoss& loss, std::size_t size = round_size)
      : loss_(loss), size_(size) {
    result_.losses.assign(count, std::numeric_limits<double>::quiet_NaN());
  }

  void run(std::span<const std::size_t> candidates) {
    for (std::size_t first = 0; first < candidates.size(); first += size_) {
      round(candidates.subspan(first, std::min(size_, candidates.size() - first)));
    }
  }
  const GridResult& result() const { return result_; }

 private:
  void round(std::span<const std::size_t> candidates) {
    const double bound = best_loss_;
    const std::size_t holder = result_.best;
    tbb::parallel_for(std::size_t{0}, candidates.size(), [&](std::size_t i) {
      const std::size_t candidate = candidates[i];
      const auto found = loss_(candidate, bound, candidate > holder);
      if (!found) return;
      require_number(*found);
      result_.losses[candidate] = *found;
    });
    for (const std::size_t candidate : candidates) {
      const double found = result_.losses[candidate];
      if (found < best_loss_ || (found == best_loss_ && candidate < result_.best)) {
        best_loss_ = found;
        result_.best = candidate;
      }
    }
  }

  const CandidateLoss& loss_;
  std::size_t size_;
  GridResult result_;
  double best_loss_ = std::numeric_limits<double>::infinity();
};

std::vector<std::size_t> all(std::size_t count) {
  std::vector<std::size_t> candidates(count);
  for (std::size_t i = 0; i < count; ++i) candidates[i] = i;
  return candidates;
}

GridResult exhaustive(std::size_t count, const CandidateLoss& loss) {
  const CandidateLoss unbounded = [&](std::size_t candidate, double, bool) {
    return loss(candidate, std::numeric_limits<double>::infinity(), false);
  };
  Rounds rounds(count, unbounded);
  rounds.run(all(count));
  return rounds.result();
}

GridResult exact(std::size_t count, const CandidateLoss& loss) {
  Rounds rounds(count, loss);
  std::vector<std::size_t> coarse;
  std::vector<std::size_t> fine;
  const std::size_t stride = std::max<std::size_t>(1, count / round_size);
  for (const std::size_t candidate : all(count)) {
    // Half a stride in: the ends of the list are rarely good.
    const bool sweep = candidate % stride == stride / 2 && coarse.size() < round_size;
    (sweep ? coarse : fine).push_back(candidate);
  }
  rounds.run(coarse);
  const std::size_t centre = rounds.result().best;
  const auto distance = [&](std::size_t i) { return i > centre ? i - centre : centre - i; };
  std::stable_sort(fine.begin(), fine.end(),
                   [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
  rounds.run(fine);
  return rounds.result();
}

}  // namespace

GridResult probed_search(std::size_t count,
                         const std::function<double(std::size_t candidate)>& first_part,
                         const CandidateLoss& loss) {
  std::vector<double> parts(count);
  tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
    parts[i] = first_part(i);
    require_number(parts[i]);
  });
  std::vector<std::size_t> order = all(count);
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return parts[a] < parts[b]; });
  Rounds rounds(count, loss, probed_round_size);
  rounds.run(order);
  require_finite(rounds.result());
  return rounds.result();
}

void require_number(double loss) {
  if (std::isnan(loss)) {
    throw InputError(
        "the search met a loss that is not a number; the model's activations overflow on the "
        "calibration text");
  }
}

void require_finite(const GridResult& result) {
  if (!std::isfinite(result.losses.at(result.best))) {
    throw InputError(
        "every candidate of the search has an infinite loss; the model's activations overflow on "
        "the calibration text");
  }
}

GridResult grid_search(std::size_t count, Search search, const CandidateLoss& loss) {
  GridResult result = search == Search::exhaustive ? exhaustive(count, loss) : exact(count, loss);
  require_finite(result);
  return result;
}

}  // namespace evenkeel
