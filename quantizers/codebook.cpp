#include "quantizers/codebook.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace evenkeel {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// The largest float that is not above the middle of two, so that x > it says exactly that x is
// nearer to b. Their sum in double is exact: neighbours are 0 and another, or 2^20 apart at most.
float below_middle(float a, float b) {
  const double middle = (static_cast<double>(a) + static_cast<double>(b)) / 2.0;
  const auto rounded = static_cast<float>(middle);
  return static_cast<double>(rounded) > middle ? std::nextafter(rounded, -infinity) : rounded;
}

}  // namespace

std::vector<float> codebook_fractions(const TensorScheme& scheme) {
  assert(scheme.codes != Codes::uniform && scheme.bits >= 2 && scheme.bits <= 8);
  std::vector<float> fractions{0.0F};
  if (scheme.codes == Codes::logarithmic) {
    for (int i = 0; i < (1 << scheme.bits) - 1; ++i) {
      fractions.push_back(
          static_cast<float>(std::exp2(-static_cast<double>(i) / scheme.steps_per_octave)));
    }
  } else {
    const int last = (1 << (scheme.bits - 1)) - 1;
    for (int i = 1; i <= last; ++i) {
      const double fraction = static_cast<double>(i) / last;
      fractions.push_back(static_cast<float>(fraction));
      fractions.push_back(static_cast<float>(scheme.split * fraction));
    }
  }
  std::ranges::sort(fractions);
  const auto repeated = std::ranges::unique(fractions);
  fractions.erase(repeated.begin(), repeated.end());
  return fractions;
}

Codebook::Codebook(std::span<const float> fractions, float top) : size_(fractions.size()) {
  assert(!fractions.empty() && fractions.size() <= most_values);
  const float scale =
      std::isfinite(top) ? std::max(top, 0.0F) : std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < size_; ++i) values_[i] = scale * fractions[i];
  thresholds_.fill(infinity);
  for (std::size_t i = 0; i + 1 < size_; ++i) {
    thresholds_[i] = below_middle(values_[i], values_[i + 1]);
  }
}

namespace reference {

float nearest(std::span<const float> ascending, float value) {
  if (std::isnan(value)) return value;
  const float inside = std::clamp(value, ascending.front(), ascending.back());
  return *std::ranges::min_element(ascending, {}, [inside](float candidate) {
    return std::abs(static_cast<double>(candidate) - static_cast<double>(inside));
  });
}

}  // namespace reference
}  // namespace evenkeel
