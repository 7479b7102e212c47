// The outlier thresholds that OS+ tries, and the scale that each one means.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/affine.h"

namespace evenkeel {

/// Lowest threshold in models with LayerNorm, and with RMSNorm.
inline constexpr double layer_norm_lowest_threshold = 1.0;
inline constexpr double rms_norm_lowest_threshold = 0.1;

/// A longer grid is refused: its range is that of a broken model.
inline constexpr double most_thresholds = 1e6;

/// Thresholds in the order in which the published program tries them, in double: from
/// t0 = max(high, -low) down by (t0 - lowest) / n while at least `lowest`, with
/// n = max(100, floor(max(high, 0) / 0.5)). Rounding decides whether the last one, at `lowest`,
/// is there. `range` is that of the shifted input. When t0 <= lowest nothing needs scaling and
/// the only threshold is t0 (where the published program has none, or never ends).
/// Throws: InputError when n exceeds `most_thresholds`.
std::vector<double> threshold_grid(Range range, double lowest = layer_norm_lowest_threshold);

/// OS+ Eq. 8 as coded, of one channel: the larger of max_j / t where max_j > t, min_j / -t where
/// min_j < -t, and 1. `low`, `high` are the extrema of the shifted input; t in float.
float scale_for_threshold(float low, float high, double threshold);
/// Of every channel; `low`, `high` [channels].
Vector scale_for_threshold(const ConstVectorView& low, const ConstVectorView& high,
                           double threshold);

}  // namespace evenkeel
