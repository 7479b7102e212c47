// MinMax and AvgMinMax: ranges from the extrema of batches.
#include <fmt/format.h>

#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

std::optional<std::string> no_fault(const TensorScheme& /*scheme*/, bool /*activations*/) {
  return std::nullopt;
}

std::optional<std::string> fault_of_average(const TensorScheme& scheme, bool activations) {
  if (!activations) return "range average_minmax is for activations; use minmax";
  if (!is_dynamic(scheme)) return std::nullopt;
  return fmt::format(
      "range average_minmax is a mean over batches, and {} ranges are found anew for each input; "
      "use minmax, percentile or omse",
      name_of(scheme.granularity));
}

}  // namespace

extern const RangeMethod minmax_method{
    .id = RangeEstimator::minmax,
    .name = "minmax",
    .fault = no_fault,
    .of_values = [](const ConstMatrixView&, Range extrema, const TensorScheme&) { return extrema; },
    .of_batches = [](const BatchRanges& batches) { return batches.whole(); }};

extern const RangeMethod average_minmax_method{
    .id = RangeEstimator::average_minmax,
    .name = "average_minmax",
    .fault = fault_of_average,
    .of_batches = [](const BatchRanges& batches) { return batches.mean(); },
    .reads_batches = true};

}  // namespace evenkeel
