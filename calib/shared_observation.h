// What a block's nodes are in full precision on a stream, found once for all calibrations that
// begin there.
#pragma once

#include <cstddef>
#include <vector>

#include <tbb/collaborative_call_once.h>

#include "calib/channel_statistics.h"
#include "calib/hidden_stream.h"
#include "calib/observing_taps.h"
#include "model/block.h"

namespace evenkeel {

/// Each part is found when it is first asked for; may be asked from several threads, which then
/// share the work.
class SharedObservation {
 public:
  /// `windows`: how many of the first ones `contexts` covers. Nothing is copied.
  SharedObservation(const Architecture& architecture, const Block& block,
                    const HiddenStream& stream, std::size_t windows)
      : architecture_(architecture), block_(block), stream_(stream), windows_(windows) {}

  /// Of every node, over all windows.
  const NodeStatistics& statistics();
  /// What attention gives for each of the first windows.
  const std::vector<Matrix>& contexts();

 private:
  const Architecture& architecture_;
  const Block& block_;
  const HiddenStream& stream_;
  std::size_t windows_;
  tbb::collaborative_once_flag statistics_found_;
  tbb::collaborative_once_flag contexts_found_;
  NodeStatistics statistics_;
  std::vector<Matrix> contexts_;
};

}  // namespace evenkeel
