#include "calib/shared_observation.h"

namespace evenkeel {

const NodeStatistics& SharedObservation::statistics() {
  tbb::collaborative_call_once(statistics_found_, [&] {
    statistics_ = stream_.observe(architecture_, block_, Node::mlp_hidden);
  });
  return statistics_;
}

const std::vector<Matrix>& SharedObservation::contexts() {
  tbb::collaborative_call_once(contexts_found_, [&] {
    contexts_ = stream_.capture(architecture_, block_, {}, Node::attention_output, windows_);
  });
  return contexts_;
}

}  // namespace evenkeel
