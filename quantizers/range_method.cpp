#include "quantizers/range_method.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "quantizers/affine.h"

namespace evenkeel {

extern const RangeMethod minmax_method;
extern const RangeMethod average_minmax_method;
extern const RangeMethod percentile_method;
extern const RangeMethod omse_method;
extern const RangeMethod token_wise_clipping_method;

std::span<const RangeMethod* const> range_methods() {
  static constexpr std::array methods{&minmax_method, &average_minmax_method, &percentile_method,
                                      &omse_method, &token_wise_clipping_method};
  return methods;
}

const RangeMethod& method_of(RangeEstimator id) {
  const auto found = std::ranges::find(range_methods(), id, &RangeMethod::id);
  assert(found != range_methods().end());
  return **found;
}

Range range_by(const TensorScheme& scheme, const ConstMatrixView& values) {
  const Range extrema = range_of_matrix(values);
  if (scheme.range == RangeEstimator::minmax) return extrema;
  if (!std::isfinite(extrema.low) || !std::isfinite(extrema.high)) return extrema;
  const RangeMethod& method = method_of(scheme.range);
  return method.of_values == nullptr ? extrema : method.of_values(values, extrema, scheme);
}

Range range_by(const TensorScheme& scheme, std::span<const float> values) {
  return range_by(scheme,
                  Eigen::Map<const Matrix>(values.data(), 1, static_cast<Index>(values.size())));
}

}  // namespace evenkeel
