// An analysis: what the calibration sets of a job do to the activations of its models, and what
// their weights look like. Nothing is quantized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/analysis/analysis_options.h"
#include "calib/analysis/outlier_rule.h"
#include "calib/analysis/similarity.h"
#include "calib/analysis/weight_figures.h"
#include "calib/job.h"
#include "calib/progress.h"

namespace evenkeel {

/// A node in one block, over all tokens of a set.
struct AnalyzedNode {
  double low = 0.0;
  double high = 0.0;
  /// Mean over the channels that are not constant; nothing where all are.
  std::optional<double> kurtosis;
  /// Share of (token, channel) pairs beyond the outlier threshold.
  double beyond = 0.0;
  /// Spearman correlation over channels of their absmax and the standard deviation of the weights
  /// that produce them (Dettmers & Zettlemoyer 2022, whose proxy of outliers that is). Nothing
  /// where no linear of a block produces the node, or one side is constant.
  std::optional<double> producers;
};

struct AnalyzedBlock {
  std::array<AnalyzedNode, node_count> nodes;  // by index_of(node), of those analyzed
  // Of attention.input (calib/analysis/token_figures.h).
  double rmse_per_token = 0.0;
  double rmse_per_tensor = 0.0;
  double token_deviation = 0.0;
};

/// The 1 % ends of a node's mean activations over blocks x channels (calib/analysis/mean_map.h).
struct AnalyzedMeans {
  std::size_t count = 0;  // of each end
  double largest = 0.0;
  double top_from = 0.0;   // the least of the top 1 %
  double bottom_to = 0.0;  // the largest of the bottom 1 %
  double smallest = 0.0;
};

struct AnalyzedSet {
  std::string label;
  std::size_t samples = 0;
  std::int64_t tokens = 0;
  std::vector<AnalyzedBlock> blocks;
  std::array<std::vector<OutlierChannel>, node_count> outliers;  // by index_of(node)
  std::array<AnalyzedMeans, node_count> means;
};

struct AnalyzedPair {
  std::size_t first = 0;  // of the model's sets
  std::size_t second = 0;
  SetSimilarity similarity;
};

struct AnalyzedModel {
  std::string label;
  std::string model_type;
  std::vector<WeightFigures> blocks;
  std::vector<AnalyzedSet> sets;
  std::vector<AnalyzedPair> pairs;  // (0, 1), (0, 2), ..., (1, 2), ...
};

struct AnalysisResult {
  AnalysisOptions options;
  std::vector<AnalyzedModel> models;
};

/// Analyzes the models and sets that load_analysis gives and writes OUTPUT/analysis.json (to_json),
/// OUTPUT/analysis.h5 (calib/analysis/analysis_record.h), and OUTPUT/report.html with charts/. Each
/// block is loaded once, and every set moves through it in full precision; hidden states of all
/// sets share `memory_limit`. Throws: InputError, MachineError as run_job; a NaN or infinite
/// activation names model, block, set, node and channel.
AnalysisResult run_analysis(const Comparison& analysis, Progress& progress);

/// What analysis.json holds.
nlohmann::ordered_json to_json(const AnalysisResult& result);

}  // namespace evenkeel
