#include "transforms/threshold_grid.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

std::vector<double> threshold_grid(Range range, double lowest) {
  const double largest = std::max(static_cast<double>(range.high), -static_cast<double>(range.low));
  if (!(largest > lowest)) return {largest};
  const double count = std::max(100.0, std::floor(std::max(0.0, double{range.high}) / 0.5));
  if (count > most_thresholds) {
    throw InputError(fmt::format(
        "the site's input reaches {:.3g}, for which OS+ would try {:.3g} thresholds (at "
        "most {:.0f}); check the model, or try method smoothquant",
        largest, count, most_thresholds));
  }
  const double step = (largest - lowest) / count;
  std::vector<double> thresholds;
  // Subtracting again and again, as the published loop does, so that rounding agrees with it.
  for (double threshold = largest; threshold >= lowest;) {
    thresholds.push_back(threshold);
    const double next = threshold - step;
    if (!(next < threshold)) break;  // a step below the spacing of doubles
    threshold = next;
  }
  return thresholds;
}

float scale_for_threshold(float low, float high, double threshold) {
  const auto limit = static_cast<float>(threshold);
  const float above = high > limit ? high / limit : 1.0F;
  const float below = low < -limit ? low / -limit : 1.0F;
  return std::max(above, below);
}

Vector scale_for_threshold(const ConstVectorView& low, const ConstVectorView& high,
                           double threshold) {
  Vector scale(low.size());
  for (Index j = 0; j < low.size(); ++j) {
    scale(j) = scale_for_threshold(low(j), high(j), threshold);
  }
  return scale;
}

}  // namespace evenkeel
