// Channels of a site's input that must move together, because one channel of the producer feeds
// several of them: with grouped queries, a value head is read by each query head of its group.
#pragma once

#include "io/matrix.h"
#include "transforms/channel_extrema.h"
#include "transforms/channel_transform.h"

namespace evenkeel {

/// The input is [groups * sharing * width] channels, the producer's [groups * width]; channel
/// (group, member, i) of the input comes from channel (group, i). The default ties nothing.
struct ChannelTies {
  Index width = 1;
  Index sharing = 1;

  /// Gives tied channels the extrema of all of them.
  ChannelExtrema pooled(const ChannelExtrema& extrema) const;
  /// Gives tied channels the largest of their values.
  Vector pooled(const Vector& values) const;
  /// From the producer's channels to the input's.
  ChannelTransform spread(const ChannelTransform& transform) const;
  /// The inverse. REQUIRES: tied channels are equal.
  ChannelTransform gathered(const ChannelTransform& transform) const;
};

}  // namespace evenkeel
