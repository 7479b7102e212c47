#include "io/bounded_random.h"

#include <array>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// The C++ standard fixes the engine: its 10000th value from the default seed ([rand.predef]).
TEST(BoundedRandom, IsTheStandardMersenneTwister) {
  BoundedRandom random(5489);
  for (int i = 0; i < 9999; ++i) random.below(UINT64_MAX);
  EXPECT_EQ(random.below(UINT64_MAX), 9981545732273789042U);
}

TEST(BoundedRandom, StaysBelowItsBoundAndReachesAll) {
  BoundedRandom random(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen.at(random.below(7));
  // Binomial(7000, 1/7): mean 1000, standard deviation 29.3; six of them.
  for (const int count : seen) EXPECT_NEAR(count, 1000, 176);
  EXPECT_EQ(random.below(1), 0U);
}

// A bound of 3/4 of the range: taking remainders would give the lower third twice as often.
TEST(BoundedRandom, HasNoBiasForLargeBounds) {
  constexpr std::uint64_t bound = 0xC000000000000000U;
  BoundedRandom random(2);
  int lower_third = 0;
  for (int i = 0; i < 9000; ++i) lower_third += random.below(bound) < bound / 3 ? 1 : 0;
  // Binomial(9000, 1/3): mean 3000, standard deviation 44.7; six of them. The bias would be 1500.
  EXPECT_NEAR(lower_third, 3000, 269);
}

}  // namespace
}  // namespace evenkeel
