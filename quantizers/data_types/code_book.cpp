#include "quantizers/data_types/code_book.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace evenkeel {

CodeBook::CodeBook(std::vector<float> values) : size_(values.size()), values_(std::move(values)) {
  assert(!values_.empty() && values_.size() <= most_values);
  assert(std::ranges::is_sorted(values_));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  thresholds_.push_back(-infinity);
  for (std::size_t i = 0; i + 1 < values_.size(); ++i) {
    thresholds_.push_back(
        static_cast<float>((static_cast<double>(values_[i]) + values_[i + 1]) / 2.0));
  }
  thresholds_.resize(most_values + 1, infinity);
  values_.resize(most_values);
}

namespace reference {

std::uint8_t nearest_code(std::span<const float> values, float absmax, float x) {
  const bool nothing = absmax == 0.0F;  // all codes mean the same
  const double twice = nothing ? 0.0 : 2.0 * static_cast<double>(x);
  const float factor = nothing ? 1.0F : absmax;
  // The sum of two floats is exact in double where one is 0 or they are less than 2^29 apart, as
  // the neighbours of every data type are, but for a tensor's quantiles in odd cases.
  std::size_t low = 0;
  std::size_t high = values.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const double sum = static_cast<double>(factor * values[middle]) +
                       static_cast<double>(factor * values[middle + 1]);
    if (twice > sum) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<std::uint8_t>(low);
}

}  // namespace reference
}  // namespace evenkeel
