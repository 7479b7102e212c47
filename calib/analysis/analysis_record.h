// analysis.h5: the arrays of an analysis. Writer and readers share this description, and the paths
// below it. M, S and N count models, sets and blocks from 0; C is the channels of a node. What is
// not said to be an attribute is a dataset of one dimension.
//
//   /                             attributes histogram_bins, pooling, outlier_threshold
//   /job                          the YAML as run
//   /models/M                     attributes label, model_type, blocks
//   /models/M/weights/blocks/N/MODULE   MODULE within the block, "self_attn.q_proj"; attributes
//                                 rows, columns, spectral_norm, absmax, std, histogram_range
//     histogram                   counts over equal bins of [-histogram_range, histogram_range]
//   /models/M/producers/blocks/N/NODE   std[C]: standard deviation of the weights of the hidden
//                                 unit that produces each channel; only nodes that have one
//   /models/M/sets/S              attributes label, samples, tokens
//   /models/M/sets/S/blocks/N     attributes rmse_per_token, rmse_per_tensor, token_std
//   /models/M/sets/S/blocks/N/nodes/NODE   NODE is attention.input, ... (no
//                                 attention.probabilities)
//     min max mean std            [C], over all tokens of the set; std of the population
//     kurtosis                    [C] m4 / m2^2, not its excess; NaN where a channel is constant
//     outlier_share               [C] share of the tokens with |x| > outlier_threshold
//     pooled_min pooled_max       [ceil(C / pooling)] of `mean`, along neighbouring channels
//     histogram                   only attention.output and mlp.hidden: counts over equal bins of
//                                 [-histogram_range, histogram_range]; attributes histogram_range,
//                                 below, above (how many values lie outside)
//   /models/M/sets/S/means/NODE   the 1 % largest and smallest means over blocks and channels
//     top_block top_channel top_value           descending
//     bottom_block bottom_channel bottom_value  ascending
//
// Counts are stored as float64, block and channel numbers as int32, all else as float32.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "calib/analysis/analysis_options.h"
#include "calib/analysis/block_observation.h"
#include "calib/analysis/mean_map.h"
#include "calib/analysis/weight_figures.h"
#include "io/hdf5.h"

namespace evenkeel {

namespace analysis_path {
std::string model(std::size_t model);
std::string linear(std::size_t model, Index block, std::string_view module);
std::string producers(std::size_t model, Index block, Node node);
std::string set(std::size_t model, std::size_t set);
std::string block(std::size_t model, std::size_t set, Index block);
std::string node(std::size_t model, std::size_t set, Index block, Node node);
std::string means(std::size_t model, std::size_t set, Node node);
}  // namespace analysis_path

/// Writes an analysis as it goes; the file appears by `commit`. Not thread-safe. Every call throws
/// MachineError as Hdf5Writer.
class AnalysisRecord {
 public:
  AnalysisRecord(const std::filesystem::path& path, std::string_view job,
                 const AnalysisOptions& options);

  void model(std::size_t model, std::string_view label, const Architecture& architecture);
  void weights(std::size_t model, Index block, const WeightFigures& figures);
  void producers(std::size_t model, Index block, Node node, const std::vector<double>& deviations);
  void set(std::size_t model, std::size_t set, std::string_view label, std::size_t samples,
           std::int64_t tokens);
  void block(std::size_t model, std::size_t set, Index block, const BlockObservation& observation);
  void means(std::size_t model, std::size_t set, Node node, const MeanEnds& ends);
  void commit() { file_.commit(); }

 private:
  Hdf5Writer file_;
  int pooling_;
};

}  // namespace evenkeel
