// How alike two calibration sets are to a model.
//
// For one node, and for all nodes together (channels of all nodes side by side):
//   outliers  Jaccard index |A n B| / |A u B| of the channels that the published rule finds
//             (calib/analysis/outlier_rule.h)
//   top       Jaccard index of the (block, channel) pairs that are, within their block and node,
//             among the 1 % of channels with the largest absmax, rounded up, so at least one; of
//             two alike the first
//   maxima    Pearson correlation of the maxima of all (block, channel) pairs, and of the minima
//   minima
//   distance  mean over all (block, channel) pairs of |r_a - r_b| / ((r_a + r_b) / 2), r = max -
//   min
//             of the channel: 0 where ranges are alike (both zero included), at most 2
#pragma once

#include <array>
#include <optional>

#include "calib/analysis/analysis_options.h"
#include "calib/analysis/set_summary.h"

namespace evenkeel {

struct Similarity {
  std::optional<double> outliers;  // nothing where neither set has one
  double top = 0.0;
  std::optional<double> maxima, minima;  // nothing where one of them is constant
  double distance = 0.0;
};

struct SetSimilarity {
  std::array<Similarity, node_count> nodes;  // by index_of(node), of those analyzed
  Similarity overall;
};

/// Two sets of one model.
SetSimilarity similarity_of(const SetSummary& a, const SetSummary& b,
                            const AnalysisOptions& options);

}  // namespace evenkeel
