// What a transform gives a site.
#pragma once

#include "io/matrix.h"

namespace evenkeel {

/// x' = (x - shift) / scale, by channel: `shift` is subtracted from the activation, then `scale`
/// divides it. Both [channels]; scale finite and not zero (negative only where a norm's own gain
/// is).
struct ChannelTransform {
  Vector shift;
  Vector scale;

  static ChannelTransform identity(Index channels) {
    return {Vector::Zero(channels), Vector::Ones(channels)};
  }
};

}  // namespace evenkeel
