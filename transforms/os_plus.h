// Outlier Suppression+ (Wei et al. 2023): channel-wise shift and a grid-searched scale.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"
#include "transforms/channel_extrema.h"
#include "transforms/options.h"
#include "transforms/site_scorer.h"
#include "transforms/site_transform.h"
#include "transforms/threshold_grid.h"

namespace evenkeel {

/// OS+ Eq. 5: z_j = (max_j + min_j) / 2.
Vector os_plus_shift(const ChannelExtrema& extrema);

/// Of the grid: 1, or 0.1 for models with RMSNorm.
double lowest_threshold(const Architecture& architecture);

struct OsPlusOptions {
  Search search = Search::exact;
  bool can_shift = false;
  double lowest_threshold = layer_norm_lowest_threshold;
  bool scale = true;              // TransformOptions::scale
  bool outlier_threshold = true;  // TransformOptions::outlier_threshold
};

/// Shift (zero unless `can_shift`) and searched scale of one site, by channel of its input, tied
/// channels alike. `site.inputs` are what the producer gives, unshifted, and `site.bias` the
/// readers' own; both are shifted here. The search sees all of `site.inputs`.
///
/// Without `scale`, the scale is one and the only threshold tried is the largest magnitude.
///
/// Without `outlier_threshold`, channels are visited from the widest to the narrowest, and each
/// takes, of the grid's thresholds, the one of least loss for itself while those before keep theirs
/// and those still to come share its own. The first visit is thus OS+'s search, whose curve
/// `thresholds`, `losses` and `threshold` hold, and no later one raises the loss. The paper says no
/// more of this ablation than that the scale of every channel is searched; the order and the grid
/// are ours.
/// Throws: InputError when an input or a loss is not finite.
SiteTransform os_plus(ScoredSite site, const Scheme& scheme, const OsPlusOptions& options);

}  // namespace evenkeel
