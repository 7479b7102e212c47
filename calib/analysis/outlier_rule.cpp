#include "calib/analysis/outlier_rule.h"

namespace evenkeel {

void OutlierCounts::add_block(const ChannelMoments& moments) {
  const Row& beyond = moments.beyond();
  if (blocks_ == 0.0) blocks_beyond_ = tokens_beyond_ = absmax_ = Row::Zero(beyond.size());
  blocks_ += 1.0;
  tokens_ += moments.tokens();
  blocks_beyond_ += (beyond > 0.0).cast<double>();
  tokens_beyond_ += beyond;
  absmax_ = absmax_.max(moments.statistics().absmax().cast<double>().array());
}

std::vector<OutlierChannel> OutlierCounts::outliers(const AnalysisOptions& options) const {
  std::vector<OutlierChannel> found;
  for (Index channel = 0; channel < absmax_.size(); ++channel) {
    const double blocks = blocks_beyond_(channel) / blocks_;
    const double tokens = tokens_beyond_(channel) / tokens_;
    if (blocks > options.outlier_blocks && tokens > options.outlier_tokens) {
      found.push_back({channel, absmax_(channel), blocks, tokens});
    }
  }
  return found;
}

}  // namespace evenkeel
