// What a method found for one site.
#pragma once

#include <optional>
#include <vector>

#include "transforms/channel_transform.h"
#include "transforms/site_errors.h"

namespace evenkeel {

/// The transform and the search behind it. `thresholds` holds what was tried in the order tried:
/// outlier thresholds of OS+, alphas of SmoothQuant; `losses` their losses, NaN where dropped by
/// the exact search. Both are empty where nothing was searched (SmoothQuant with a given alpha).
struct SiteTransform {
  ChannelTransform transform;
  std::vector<double> thresholds;
  std::vector<double> losses;
  double threshold = 0.0;    // the one chosen (or SmoothQuant's given alpha)
  double loss_before = 0.0;  // of quantizing the site as it is, without shift or scale
  double loss_after = 0.0;   // of quantizing it under the transform
  std::optional<SiteErrors> errors_before{};  // likewise; only where they were asked for
  std::optional<SiteErrors> errors_after{};
};

}  // namespace evenkeel
