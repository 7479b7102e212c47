#include "transforms/channel_extrema.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(ChannelExtrema, AreOverAllSamples) {
  const ChannelExtrema extrema = channel_extrema(
      {Matrix{{1.0F, -2.0F, -7.0F}, {4.0F, -1.0F, -8.0F}}, Matrix{{-3.0F, -5.0F, -7.5F}}});
  EXPECT_EQ(extrema.low, (Vector{{-3.0F, -5.0F, -8.0F}}));
  EXPECT_EQ(extrema.high, (Vector{{4.0F, -1.0F, -7.0F}}));
}

TEST(ChannelExtrema, OfOneValueAreIt) {
  const ChannelExtrema extrema = channel_extrema({Matrix{{-2.5F}}});
  EXPECT_EQ(extrema.low, Vector{{-2.5F}});
  EXPECT_EQ(extrema.high, Vector{{-2.5F}});
}

TEST(ChannelExtrema, LeavePaddingOut) {
  const std::vector<Matrix> samples{Matrix{{100.0F, 100.0F}, {1.0F, -2.0F}, {-100.0F, -100.0F}},
                                    Matrix{{-3.0F, 5.0F}}};
  EXPECT_EQ(channel_extrema(samples).high, (Vector{{100.0F, 100.0F}}));
  const ChannelExtrema real = channel_extrema(samples, {{0, 1, 0}, {}});
  EXPECT_EQ(real.low, (Vector{{-3.0F, -2.0F}}));
  EXPECT_EQ(real.high, (Vector{{1.0F, 5.0F}}));
  // A sample of nothing but padding says nothing.
  const ChannelExtrema second = channel_extrema(samples, {{0, 0, 0}, {1}});
  EXPECT_EQ(second.low, (Vector{{-3.0F, 5.0F}}));
  EXPECT_EQ(second.high, (Vector{{-3.0F, 5.0F}}));
}

}  // namespace
}  // namespace evenkeel
