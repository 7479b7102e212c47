// Which channels are outlier dimensions, by the published rule.
//
// Source: Dettmers et al. 2022, "LLM.int8()", section 4 (a magnitude of at least 6 in at least 25 %
// of the layers and 6 % of the sequence positions), as Ahmadian et al. 2023 take it. Exactly: over
// the blocks of a model and all tokens of a set, channel j of a node is one when
//   the share of blocks in which at least one token has |x_j| > threshold  is > outlier_blocks, and
//   the share of (token, block) pairs with |x_j| > threshold               is > outlier_tokens.
#pragma once

#include <vector>

#include "calib/analysis/analysis_options.h"
#include "calib/analysis/channel_moments.h"
#include "io/matrix.h"

namespace evenkeel {

struct OutlierChannel {
  Index channel = 0;
  double absmax = 0.0;  // over all blocks
  double blocks = 0.0;  // shares, as above
  double tokens = 0.0;
  bool operator==(const OutlierChannel&) const = default;
};

/// Counts for one node. Not thread-safe.
class OutlierCounts {
 public:
  /// The next block, whose moments counted beyond the threshold. REQUIRES: not empty.
  void add_block(const ChannelMoments& moments);
  /// Those that the rule finds, ascending.
  std::vector<OutlierChannel> outliers(const AnalysisOptions& options) const;

 private:
  using Row = ChannelMoments::Row;
  double blocks_ = 0.0;
  double tokens_ = 0.0;  // (token, block) pairs
  Row blocks_beyond_, tokens_beyond_, absmax_;
};

}  // namespace evenkeel
