// What one block does with the samples of one set: everything an analysis says about activations.
#pragma once

#include <array>
#include <optional>

#include "calib/analysis/analysis_options.h"
#include "calib/analysis/channel_moments.h"
#include "calib/analysis/histogram.h"
#include "calib/analysis/token_figures.h"
#include "calib/hidden_stream.h"
#include "model/node.h"

namespace evenkeel {

/// Nodes with channels: all but the attention probabilities.
bool is_analyzed(Node node);
/// Nodes with a histogram: what the output projection and the last product of the MLP read.
bool has_histogram(Node node);
/// The node whose quantization error is measured: what query, key and value projections read.
inline constexpr Node quantized_node = Node::attention_input;

struct NodeObservation {
  ChannelMoments moments;
  std::optional<Histogram> histogram;
};

struct BlockObservation {
  std::array<NodeObservation, node_count> nodes;  // by index_of(node)
  TokenFigures tokens;                            // of quantized_node

  void merge(const BlockObservation& other);
};

/// Half the width of the histogram of each node that has one; 0 elsewhere.
using HistogramWidths = std::array<double, node_count>;
/// As the options say; what they leave open from the first window of `stream`, which stays where
/// it is. 1 where a node is all zero.
HistogramWidths histogram_widths(const Architecture& architecture, const Block& block,
                                 const HiddenStream& stream, const AnalysisOptions& options);

/// Observes every node over all windows, in parallel and combined in order, and moves the stream
/// past the block, in full precision. (quantized_node is computed twice: its range over all windows
/// comes first.)
/// Throws: InputError "NODE: channel N ..." when an activation is NaN or infinite.
BlockObservation observe_and_advance(const Architecture& architecture, const Block& block,
                                     HiddenStream& stream, const AnalysisOptions& options,
                                     const HistogramWidths& widths);

}  // namespace evenkeel
