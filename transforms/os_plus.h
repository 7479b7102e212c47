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
};

/// Shift (zero unless `can_shift`) and searched scale of one site, by channel of its input, tied
/// channels alike. `site.inputs` are what the producer gives, unshifted, and `site.bias` the
/// readers' own; both are shifted here. The search sees all of `site.inputs`.
/// Throws: InputError when an input or a loss is not finite.
SiteTransform os_plus(ScoredSite site, const Scheme& scheme, const OsPlusOptions& options);

}  // namespace evenkeel
