#include "calib/observing_taps.h"

#include <algorithm>

namespace evenkeel {

void StatisticsTap::at(Node node, MatrixView values, Index head, Index first_row) {
  ChannelStatistics& statistics = statistics_[index_of(node)];
  if (node != Node::attention_probabilities) {
    statistics.observe(values);
    return;
  }
  for (Index row = 0; row < values.rows(); ++row) {
    const Index visible = std::min(first_row + row + 1, values.cols());
    statistics.observe_channel(head, heads_,
                               {values.row(row).data(), static_cast<std::size_t>(visible)});
  }
}

void RangeTap::at(Node node, MatrixView values, Index head, Index first_row) {
  if (auto& observer = observers_[index_of(node)]) observer->observe(values, batch_);
  QuantizingTap::at(node, values, head, first_row);
}

void CaptureTap::at(Node node, MatrixView values, Index head, Index first_row) {
  if (node == wanted_) captured_ = values;
  QuantizingTap::at(node, values, head, first_row);
}

}  // namespace evenkeel
