// On curves whose least loss is known.
#include "transforms/fast_search.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr std::array counts{1U, 2U, 12U, 13U, 100U, 300U};
// Of the loss in each share of the tokens.
constexpr std::array weights{0.125, 0.125, 0.25, 0.5};

struct Curve {
  std::string name;
  std::vector<std::array<double, 4>> parts;  // by candidate: what each share has of its loss
  double slope = 0.0;                        // between neighbours, at most
  double noise = 0.0;                        // of each part, relative, at most

  double part(std::size_t i, Share share) const {
    return parts[i][static_cast<std::size_t>(share)];
  }
  // Summed as the shares come.
  double loss(std::size_t i) const { return parts[i][0] + parts[i][1] + parts[i][2] + parts[i][3]; }
  double least() const {
    double least = loss(0);
    for (std::size_t i = 1; i < parts.size(); ++i) least = std::min(least, loss(i));
    return least;
  }
};

template <class Smooth>
Curve curve(std::string name, std::size_t count, double noise, const Smooth& smooth) {
  std::mt19937 random(static_cast<std::uint32_t>(count));
  Curve made{std::move(name), {}, 0.0, noise};
  for (std::size_t i = 0; i < count; ++i) {
    auto& parts = made.parts.emplace_back();
    for (std::size_t share = 0; share < parts.size(); ++share) {
      const double unit = 2.0 * std::ldexp(static_cast<double>(random()), -32) - 1.0;
      parts[share] = weights[share] * smooth(i) * (1.0 + noise * unit);
    }
  }
  return made;
}

// One candidate's loss is least, and others' grow with the distance from it.
Curve valley(std::size_t count, std::size_t best, double noise) {
  const double slope = 4.0 / static_cast<double>(count);
  Curve made = curve("valley at " + std::to_string(best), count, noise, [&](std::size_t i) {
    return 1.0 + slope * std::abs(static_cast<double>(i) - static_cast<double>(best));
  });
  made.slope = slope;
  return made;
}

// A steep fall, and then all alike.
Curve plateau(std::size_t count, double noise) {
  const std::size_t edge = count / 3;
  return curve("plateau", count, noise,
               [&](std::size_t i) { return i < edge ? 1.0 + static_cast<double>(edge - i) : 1.0; });
}

std::vector<Curve> curves(std::size_t count, double noise) {
  std::vector<Curve> all{plateau(count, noise)};
  for (const std::size_t best : {std::size_t{0}, count / 3, count / 2, count - 1}) {
    all.push_back(valley(count, best, noise));
  }
  return all;
}

// `part(i, share)` is what a share has of candidate i's loss.
template <class Part>
GridResult search_parts(std::size_t count, const Part& part) {
  std::vector<double> known(count, 0.0);
  return fast_search(count, [&](std::size_t i, std::span<const Share> shares) {
    for (const Share share : shares) known[i] += part(i, share);
    return known[i];
  });
}

GridResult search(const Curve& curve) {
  return search_parts(curve.parts.size(),
                      [&](std::size_t i, Share share) { return curve.part(i, share); });
}

// Without noise every share ranks candidates as their losses do, and those around the best of the
// first sweep are all looked at, so that the least one is found.
TEST(FastSearch, FindsTheLeastOfASmoothCurve) {
  for (const std::size_t count : counts) {
    for (std::size_t best = 0; best < count; ++best) {
      EXPECT_EQ(search(valley(count, best, 0.0)).best, best) << count;
    }
    const Curve flat = plateau(count, 0.0);
    EXPECT_EQ(flat.loss(search(flat).best), 1.0) << count;
  }
}

// With s(i) the curve without noise e, some candidate c of the first sweep is at most two from the
// least one: s(c) <= s(least) + 2 slopes, and on the plateau, whose last two are on it, s(c) is as
// low. When c is given up, what is kept has a lower sum of the shares seen: (1 - e) s <= (1 + e)
// s(c). So what is found has at most (1 + e)^2 / (1 - e) s(c), and s(least) is at most its loss
// over 1 - e.
TEST(FastSearch, FindsALossNearTheLeastUnderNoise) {
  for (const std::size_t count : counts) {
    for (const double noise : {0.001, 0.02}) {
      for (const Curve& curve : curves(count, noise)) {
        const double kept = (1.0 + noise) * (1.0 + noise) / (1.0 - noise);
        const double most = kept * (curve.least() / (1.0 - noise) + 2.0 * curve.slope);
        EXPECT_LE(curve.loss(search(curve).best), most) << curve.name << " of " << count;
      }
    }
  }
}

TEST(FastSearch, ScoresAShortListWhole) {
  for (const std::size_t count : {1U, 2U, 12U}) {
    for (const Curve& curve : curves(count, 0.3)) {
      const GridResult found = search(curve);
      EXPECT_EQ(curve.loss(found.best), curve.least()) << curve.name;
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(found.losses[i], curve.loss(i));
    }
  }
  const GridResult ties = search_parts(12, [](std::size_t, Share) { return 1.0; });
  EXPECT_EQ(ties.best, 0U);
}

TEST(FastSearch, LossesAreOfWhatHasAllShares) {
  for (const std::size_t count : counts) {
    for (const Curve& curve : curves(count, 0.02)) {
      std::vector<std::array<std::atomic<int>, 4>> asked(count);
      const GridResult found = search_parts(count, [&](std::size_t i, Share share) {
        ++asked[i][static_cast<std::size_t>(share)];
        return curve.part(i, share);
      });
      ASSERT_EQ(found.losses.size(), count);
      for (std::size_t i = 0; i < count; ++i) {
        // Never twice, and none without the one before.
        EXPECT_LE(asked[i][0], 1);
        EXPECT_LE(asked[i][1], asked[i][0]);
        EXPECT_LE(asked[i][2], asked[i][1]);
        EXPECT_LE(asked[i][3], asked[i][2]);
        if (asked[i][3] == 0) {
          EXPECT_TRUE(std::isnan(found.losses[i])) << i;
        } else {
          EXPECT_EQ(found.losses[i], curve.loss(i)) << i;
          EXPECT_LE(curve.loss(found.best), found.losses[i]) << i;
        }
      }
    }
  }
}

// Of all candidates on all shares.
double work_on(const Curve& curve) {
  std::array<std::atomic<int>, 4> asked{};
  search_parts(curve.parts.size(), [&](std::size_t i, Share share) {
    ++asked[static_cast<std::size_t>(share)];
    return curve.part(i, share);
  });
  double work = 0.0;
  for (std::size_t share = 0; share < asked.size(); ++share) work += weights[share] * asked[share];
  return work / static_cast<double>(curve.parts.size());
}

// With one valley, and without noise.
TEST(FastSearch, TakesAQuarterOfTheWork) {
  for (const std::size_t count : {100U, 101U, 102U, 150U, 300U, 1000U}) {
    EXPECT_LE(work_on(plateau(count, 0.0)), 0.25) << count;
    for (const double noise : {0.0, 0.001, 0.02}) {
      for (const std::size_t best : {std::size_t{0}, count / 3, count / 2, count - 1}) {
        EXPECT_LE(work_on(valley(count, best, noise)), 0.25)
            << best << " of " << count << ", noise " << noise;
      }
    }
  }
}

// The good ones of a noisy plateau lie anywhere, and each look goes elsewhere: on the first share,
// a third of the grid and three times three centres' neighbours, of which the sweep has left eight.
TEST(FastSearch, LooksAtNoMoreThanItsThreeLooks) {
  for (const std::size_t count : {100U, 101U, 102U, 150U, 300U, 1000U}) {
    const auto all = static_cast<double>(count);
    const double first = std::min(1.0, (std::ceil(all / 3.0) + 3 * 3 * 8) / all);
    const double second = std::ceil(0.3 * all) / all;
    const double rest = std::ceil(0.08 * all) / all;
    const double most = 0.25 * first + 0.25 * second + 0.5 * rest;
    for (const double noise : {0.001, 0.02, 0.5}) {
      EXPECT_LE(work_on(plateau(count, noise)), most + 1e-9) << count << ", noise " << noise;
    }
  }
}

TEST(FastSearch, DoesNotDependOnTheThreads) {
  for (const std::size_t count : counts) {
    for (const Curve& curve : curves(count, 0.02)) {
      const auto search_with = [&](std::size_t threads) {
        const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
        return search(curve);
      };
      const GridResult one = search_with(1);
      const GridResult four = search_with(4);
      EXPECT_EQ(one.best, four.best);
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(one.losses[i]),
                  std::bit_cast<std::uint64_t>(four.losses[i]))
            << curve.name << " of " << count << ", " << i;
      }
    }
  }
}

TEST(FastSearch, RefusesALossThatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Share bad : all_shares) {
    for (std::size_t place = 0; place < 12; ++place) {
      const auto loss = [&](std::size_t i, Share share) {
        return i == place && share == bad ? nan : 1.0;
      };
      EXPECT_THROW(search_parts(12, loss), InputError);
    }
    EXPECT_THROW(
        search_parts(300, [&](std::size_t, Share share) { return share == bad ? nan : 1.0; }),
        InputError);
  }
}

TEST(FastSearch, RefusesLossesThatAreAllInfinite) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const std::size_t count : counts) {
    EXPECT_THROW(search_parts(count, [](std::size_t, Share) { return infinity; }), InputError);
  }
}

}  // namespace
}  // namespace evenkeel
