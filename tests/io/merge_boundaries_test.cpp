#include "io/merge_boundaries.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(MergeBoundaries, JoinsTheEndsOfMerges) {
  MergeBoundaries boundaries;
  boundaries.add("▁", "un");
  boundaries.add("▁un", "té");
  EXPECT_TRUE(boundaries.joins(U'▁', U'u'));
  EXPECT_TRUE(boundaries.joins(U'n', U't'));
  EXPECT_FALSE(boundaries.joins(U'n', U'▁'));
  EXPECT_FALSE(boundaries.joins(U'u', U'n'));  // no merge makes it, so it is never one token
  EXPECT_FALSE(boundaries.joins(U't', U'n'));
}

TEST(MergeBoundaries, AnEmptySideJoinsAnything) {
  MergeBoundaries boundaries;
  EXPECT_FALSE(boundaries.joins(U'a', U'b'));
  boundaries.add("", "x");
  EXPECT_TRUE(boundaries.joins(U'a', U'b'));
}

}  // namespace
}  // namespace evenkeel
