// What a run left, as its report tells it: read from OUTPUT/summary.json and OUTPUT/calibration.h5
// (calib/record.h), and no more of the latter than is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/report/chart.h"
#include "calib/text_score.h"

namespace evenkeel {

struct RunScore {
  Metric metric = Metric::perplexity;
  std::string text;
  double full_precision = 0.0;
  double quantized = 0.0;
};

struct RunSite {
  std::size_t block = 0;
  std::string kind;  // its name within the block: "attention"
  std::string method;
  double threshold = 0.0;
  double loss_before = 0.0;
  double loss_after = 0.0;
  /// What was tried and its loss, by rising threshold (or alpha); without those that were dropped.
  std::vector<std::pair<double, double>> curve;
  /// Ends of the input over all channels, before and under the transform; NaN where the record does
  /// not say (experts share one input).
  double low = 0.0, high = 0.0, low_after = 0.0, high_after = 0.0;

  std::string name() const;  // "blocks.0.attention"
};

/// A node of a block, before any transform: its ends over all channels, the largest ratio of a
/// channel's magnitude to the median one, and how many channels reach outlier_ratio
/// (calib/inspect.h).
struct RunNode {
  std::size_t block = 0;
  std::string kind;  // "attention.input"
  std::size_t channels = 0;
  double low = 0.0, high = 0.0;
  double largest_ratio = 0.0;
  std::size_t outliers = 0;
  /// The range that its codes span, after the transform, and their step: static, per tensor.
  std::optional<std::pair<double, double>> range;
  std::optional<double> step;
};

/// Channels of a site's input before and under the transform.
struct RunBands {
  std::string site;
  BandPlot::Panel before, after;
};

/// Magnitudes of a node's channels over the median of their block, blocks x channels, pooled.
struct RunMap {
  std::string node;
  HeatMap map;
};

struct RunResults {
  std::string model, architecture;
  std::int64_t parameters = 0;
  std::string job_file, method, scheme_name;
  nlohmann::ordered_json scheme;
  std::vector<RunScore> scores;
  std::vector<std::pair<std::string, double>> seconds;  // of phases, then "total"
  std::uint64_t peak_memory = 0;
  std::string id;
  std::string job;  // YAML, as run
  std::size_t blocks = 0;
  std::vector<RunSite> sites;
  std::vector<RunNode> nodes;
  std::vector<RunBands> bands;  // of the three sites with the widest input
  std::vector<RunMap> maps;
};

/// Reads the results of a run from its output folder (or what will be one).
/// Throws: InputError with the file, the place in it and what to do.
RunResults read_run_results(const std::filesystem::path& folder);

}  // namespace evenkeel
