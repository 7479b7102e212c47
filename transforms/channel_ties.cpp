#include "transforms/channel_ties.h"

namespace evenkeel {
namespace {

Vector spread_values(const ChannelTies& ties, const Vector& values) {
  Vector out(values.size() * ties.sharing);
  for (Index j = 0; j < out.size(); ++j) {
    const Index group = j / (ties.width * ties.sharing);
    out(j) = values(group * ties.width + j % ties.width);
  }
  return out;
}

Vector gathered_values(const ChannelTies& ties, const Vector& values) {
  Vector out(values.size() / ties.sharing);
  for (Index j = 0; j < out.size(); ++j) {
    out(j) = values(j / ties.width * ties.width * ties.sharing + j % ties.width);
  }
  return out;
}

}  // namespace

Vector ChannelTies::pooled(const Vector& values) const {
  if (sharing == 1) return values;
  Vector largest = gathered_values(*this, values);
  for (Index j = 0; j < values.size(); ++j) {
    float& own = largest(j / (width * sharing) * width + j % width);
    if (values(j) > own) own = values(j);
  }
  return spread_values(*this, largest);
}

ChannelExtrema ChannelTies::pooled(const ChannelExtrema& extrema) const {
  return {-pooled(Vector(-extrema.low)), pooled(extrema.high)};
}

ChannelTransform ChannelTies::spread(const ChannelTransform& transform) const {
  return {spread_values(*this, transform.shift), spread_values(*this, transform.scale)};
}

ChannelTransform ChannelTies::gathered(const ChannelTransform& transform) const {
  return {gathered_values(*this, transform.shift), gathered_values(*this, transform.scale)};
}

}  // namespace evenkeel
