#include "calib/observing_taps.h"

#include <algorithm>

namespace evenkeel {

void StatisticsTap::at(Node node, MatrixView values, Index head, Index first_row) {
  ChannelStatistics& statistics = statistics_[index_of(node)];
  if (node == Node::attention_output && context_ != nullptr) *context_ = values;
  if (node != Node::attention_probabilities) {
    statistics.observe(values);
    return;
  }
  for (Index row = 0; row < values.rows(); ++row) {
    const Index query = first_row + row;
    const Index end = attention_.causal ? std::min(query + 1, values.cols()) : values.cols();
    const Index begin =
        attention_.window > 0 ? std::max<Index>(0, query + 1 - attention_.window) : 0;
    statistics.observe_channel(
        head, attention_.heads,
        {values.row(row).data() + begin, static_cast<std::size_t>(end - begin)});
  }
}

void RangeTap::look(Node node, const ConstMatrixView& values, Index head) {
  if (node == Node::attention_output && keep_ != nullptr) *keep_ = values;
  if (auto& observer = observers_[index_of(node)]) observer->observe(values, batch_, head);
}

bool RangeTap::looks_at(Node node) const {
  return observers_[index_of(node)].has_value() ||
         (node == Node::attention_output && keep_ != nullptr);
}

void CaptureTap::look(Node node, const ConstMatrixView& values, Index head) {
  const bool other_expert = node == Node::mlp_hidden && head != expert_;
  if (node == wanted_ && !other_expert) captured_ = values;
}

}  // namespace evenkeel
