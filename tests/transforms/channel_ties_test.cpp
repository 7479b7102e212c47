#include "transforms/channel_ties.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// Two groups of two heads, each of two channels: (0, 2), (1, 3), (4, 6), (5, 7) are tied.
const ChannelTies ties{.width = 2, .sharing = 2};

TEST(ChannelTies, PoolTakesTheLargestOfTiedChannels) {
  const Vector values{{1.0F, 8.0F, 3.0F, 2.0F, -5.0F, 0.0F, -7.0F, 9.0F}};
  EXPECT_EQ(ties.pooled(values), (Vector{{3.0F, 8.0F, 3.0F, 8.0F, -5.0F, 9.0F, -5.0F, 9.0F}}));
}

TEST(ChannelTies, PoolTakesTheExtremaOfTiedChannels) {
  const ChannelExtrema pooled =
      ties.pooled(ChannelExtrema{Vector{{-1.0F, -8.0F, -3.0F, -2.0F, 5.0F, 0.0F, 7.0F, -9.0F}},
                                 Vector{{1.0F, 8.0F, 3.0F, 2.0F, 6.0F, 0.0F, 7.0F, 9.0F}}});
  EXPECT_EQ(pooled.low, (Vector{{-3.0F, -8.0F, -3.0F, -8.0F, 5.0F, -9.0F, 5.0F, -9.0F}}));
  EXPECT_EQ(pooled.high, (Vector{{3.0F, 8.0F, 3.0F, 8.0F, 7.0F, 9.0F, 7.0F, 9.0F}}));
}

TEST(ChannelTies, SpreadAndGatherAreInverse) {
  const ChannelTransform transform{Vector{{1.0F, 2.0F, 3.0F, 4.0F}},
                                   Vector{{5.0F, 6.0F, 7.0F, 8.0F}}};
  const ChannelTransform spread = ties.spread(transform);
  EXPECT_EQ(spread.shift, (Vector{{1.0F, 2.0F, 1.0F, 2.0F, 3.0F, 4.0F, 3.0F, 4.0F}}));
  EXPECT_EQ(spread.scale, (Vector{{5.0F, 6.0F, 5.0F, 6.0F, 7.0F, 8.0F, 7.0F, 8.0F}}));
  const ChannelTransform gathered = ties.gathered(spread);
  EXPECT_EQ(gathered.shift, transform.shift);
  EXPECT_EQ(gathered.scale, transform.scale);
}

TEST(ChannelTies, NothingIsTiedByDefault) {
  const Vector values{{1.0F, 8.0F, -3.0F}};
  EXPECT_EQ(ChannelTies().pooled(values), values);
  const ChannelTransform transform{values, values};
  EXPECT_EQ(ChannelTies().spread(transform).shift, values);
  EXPECT_EQ(ChannelTies().gathered(transform).scale, values);
}

}  // namespace
}  // namespace evenkeel
