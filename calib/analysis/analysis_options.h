// What an analysis asks for: the section `analyze` of a job.
#pragma once

#include <optional>

namespace evenkeel {

struct AnalysisOptions {
  // Outlier dimensions (calib/analysis/outlier_rule.h), as published: Dettmers et al. 2022,
  // "LLM.int8()"; Ahmadian et al. 2023. Lower them for models that have none.
  double outlier_threshold = 6.0;  // magnitude
  double outlier_blocks = 0.25;    // share of the blocks
  double outlier_tokens = 0.06;    // share of the tokens

  /// Channels whose mean activations are pooled to one (Paglieri et al. 2024).
  int pooling = 32;
  /// Of the symmetric codes whose error on attention.input is measured; 2 to 8.
  int bits = 8;
  /// Of each histogram; odd, so that zero is the middle of a bin.
  int histogram_bins = 201;
  /// Histograms of activations reach from -this to this. Empty: four times the root mean square of
  /// the node in the block, over the first sample of the first set, so that all sets have the same.
  std::optional<double> histogram_range;
  bool operator==(const AnalysisOptions&) const = default;
};

}  // namespace evenkeel
