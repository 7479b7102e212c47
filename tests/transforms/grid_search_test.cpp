#include "transforms/grid_search.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// Candidates whose losses are sums of non-negative terms, given up as SiteScorer gives up.
class Curve {
 public:
  explicit Curve(std::vector<std::vector<double>> terms) : terms_(std::move(terms)) {}

  std::optional<double> operator()(std::size_t i, double bound, bool tie_loses) const {
    double sum = 0.0;
    for (const double term : terms_[i]) {
      sum += term;
      if (sum > bound || (tie_loses && sum == bound)) return std::nullopt;
    }
    return sum;
  }
  std::size_t size() const { return terms_.size(); }
  double loss(std::size_t i) const {
    return std::accumulate(terms_[i].begin(), terms_[i].end(), 0.0);
  }
  /// The first of the least losses.
  std::size_t best() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < size(); ++i) best = loss(i) < loss(best) ? i : best;
    return best;
  }

 private:
  std::vector<std::vector<double>> terms_;
};

// Small integers as terms: sums are exact and ties are frequent.
Curve random_curve(std::uint32_t seed) {
  std::mt19937 random(seed);
  const std::size_t count = 1 + random() % 120;
  const auto values = 1 + random() % 6;
  const bool slope = random() % 2 == 0;
  std::vector<std::vector<double>> terms(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (int piece = 0; piece < 4; ++piece) {
      const double trend = slope ? static_cast<double>(i / 8) : 0.0;
      terms[i].push_back(trend + static_cast<double>(random() % values));
    }
  }
  return Curve(std::move(terms));
}

bool same_losses(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i]) || (!std::isnan(a[i]) && a[i] != b[i])) return false;
  }
  return true;
}

TEST(GridSearch, ExhaustiveKeepsTheWholeCurve) {
  const Curve curve({{3.0, 1.0}, {1.0, 1.0}, {2.0, 0.0}, {5.0, 5.0}});
  const GridResult found = grid_search(curve.size(), Search::exhaustive, curve);
  EXPECT_EQ(found.losses, (std::vector<double>{4.0, 2.0, 2.0, 10.0}));
  EXPECT_EQ(found.best, 1U);  // of equal losses the first
}

TEST(GridSearch, ExactGivesTheAnswerOfExhaustive) {
  std::size_t dropped = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    const Curve curve = random_curve(seed);
    const GridResult exact = grid_search(curve.size(), Search::exact, curve);
    ASSERT_EQ(exact.best, curve.best()) << "seed " << seed;
    ASSERT_EQ(exact.losses[exact.best], curve.loss(curve.best()));
    for (std::size_t i = 0; i < curve.size(); ++i) {
      if (std::isnan(exact.losses[i])) {
        ++dropped;
      } else {
        ASSERT_EQ(exact.losses[i], curve.loss(i));
      }
    }
  }
  EXPECT_GT(dropped, 0U);  // otherwise the test says nothing
}

TEST(GridSearch, ThreadsDoNotChangeWhatIsDropped) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const Curve curve = random_curve(seed);
    std::vector<double> one;
    {
      const tbb::global_control single(tbb::global_control::max_allowed_parallelism, 1);
      one = grid_search(curve.size(), Search::exact, curve).losses;
    }
    const tbb::global_control several(tbb::global_control::max_allowed_parallelism, 4);
    ASSERT_TRUE(same_losses(one, grid_search(curve.size(), Search::exact, curve).losses));
  }
}

// Every count of a few rounds, the best at every place: valleys, slopes up and down, plateaus with
// one dip, and nothing but a plateau.
TEST(GridSearch, FindsTheBestWhereverItIs) {
  for (std::size_t count = 1; count <= 20; ++count) {
    for (std::size_t best = 0; best < count; ++best) {
      std::vector<std::vector<double>> valley;
      std::vector<std::vector<double>> dip;
      for (std::size_t i = 0; i < count; ++i) {
        const double distance = std::abs(static_cast<double>(i) - static_cast<double>(best));
        valley.push_back({1.0, distance, distance});
        dip.push_back({2.0, i == best ? 0.0 : 1.0});
      }
      for (const Curve& curve : {Curve(valley), Curve(dip)}) {
        for (const Search search : {Search::exact, Search::exhaustive}) {
          EXPECT_EQ(grid_search(count, search, curve).best, best) << count;
        }
      }
    }
    const Curve plateau(std::vector<std::vector<double>>(count, {1.0, 2.0}));
    EXPECT_EQ(grid_search(count, Search::exact, plateau).best, 0U);
  }
}

TEST(GridSearch, AFiniteLossBeatsInfiniteOnes) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (std::size_t best = 0; best < 20; ++best) {
    std::vector<std::vector<double>> terms(20, {infinity});
    terms[best] = {3.0};
    for (const Search search : {Search::exact, Search::exhaustive}) {
      EXPECT_EQ(grid_search(20, search, Curve(terms)).best, best);
    }
  }
}

TEST(GridSearch, RefusesALossThatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto loss = [&](std::size_t i, double, bool) { return i == 2 ? nan : 1.0; };
  EXPECT_THROW(grid_search(4, Search::exact, loss), InputError);
  EXPECT_THROW(grid_search(4, Search::exhaustive, loss), InputError);
}

TEST(GridSearch, RefusesLossesThatAreAllInfinite) {
  const auto loss = [](std::size_t, double, bool) {
    return std::numeric_limits<double>::infinity();
  };
  EXPECT_THROW(grid_search(4, Search::exact, loss), InputError);
}

}  // namespace
}  // namespace evenkeel
