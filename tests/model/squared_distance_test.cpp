// On every instruction set that this machine has, against a loop.
#include "model/squared_distance.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
// Some of the longest pairs of vectors and every rest.
constexpr std::size_t longest = 67;

using SquaredDistance = support::EachTarget;

std::vector<float> values_of(std::size_t size, std::uint32_t seed, float scale) {
  const Vector random = support::random_vector(static_cast<Index>(longest), seed, -scale, scale);
  return {random.data(), random.data() + size};
}

// Squares of floats are exact in double, and none is negative: sums in two orders differ by half an
// epsilon of the sum for each of their additions. 1e25: of squares that no float holds.
TEST_P(SquaredDistance, IsTheSumOfTheSquares) {
  for (const float scale : {1e-30F, 1.0F, 1e25F}) {
    for (std::size_t size = 0; size <= longest; ++size) {
      const std::vector<float> a = values_of(size, 1, scale);
      const std::vector<float> b = values_of(size, 2, scale);
      double expected = 0.0;
      for (std::size_t i = 0; i < size; ++i) {
        const double difference = a[i] - b[i];  // in float
        expected += difference * difference;
      }
      const double tolerance =
          static_cast<double>(size) * std::numeric_limits<double>::epsilon() * expected;
      EXPECT_NEAR(squared_distance(a, b), expected, tolerance) << size;
      EXPECT_EQ(squared_distance(a, a), 0.0);
    }
  }
}

// A square for each place, so that none is left out, counted twice or taken from beyond the end.
TEST_P(SquaredDistance, CountsEveryPlaceOnce) {
  for (std::size_t size = 1; size <= longest; ++size) {
    std::vector<float> a(size + 8, 1e6F);
    const std::vector<float> b(size, 0.0F);
    double expected = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      a[i] = static_cast<float>(i + 1);
      expected += static_cast<double>((i + 1) * (i + 1));
    }
    EXPECT_EQ(squared_distance(std::span(a).first(size), b), expected);  // whole numbers: exact
  }
}

TEST_P(SquaredDistance, OfNaNIsNaNWhereverItIs) {
  for (std::size_t place = 0; place < longest; ++place) {
    const std::vector<float> b = values_of(longest, 2, 1.0F);
    std::vector<float> a = values_of(longest, 1, 1.0F);
    a[place] = nan;
    EXPECT_TRUE(std::isnan(squared_distance(a, b))) << place;
    EXPECT_TRUE(std::isnan(squared_distance(b, a))) << place;
    a[place] = -infinity;
    EXPECT_EQ(squared_distance(a, b), std::numeric_limits<double>::infinity()) << place;
    EXPECT_TRUE(std::isnan(squared_distance(a, a))) << place;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, SquaredDistance, support::each_target(), support::target_name);

}  // namespace
}  // namespace evenkeel
