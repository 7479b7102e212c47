// A comparison: every row of a job's `compare:` section calibrated and evaluated, once for each of
// its seeds, and measured against full precision and a baseline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/compare/compared_sites.h"
#include "calib/compare/paired_difference.h"
#include "calib/job.h"
#include "calib/progress.h"
#include "calib/text_score.h"

namespace evenkeel {

struct ComparedFigure {
  Metric metric = Metric::perplexity;
  double value = 0.0;
  double standard_error = 0.0;  // over windows or examples; not a number where it is not known
  /// Of a row that was calibrated with several seeds: that of each, of which `value` is the mean
  /// (mean_over_seeds), and its standard error over them; else empty, and not a number.
  std::vector<double> runs{};
  double seed_error = std::numeric_limits<double>::quiet_NaN();
  // Of a row:
  PairedDifference to_full_precision{};
  std::optional<PairedDifference> to_baseline{};  // where the row has a baseline
};

/// A text or task and its figures, the main one first.
struct ComparedScore {
  std::string label;
  std::vector<ComparedFigure> figures;
  std::int64_t examples = 0;  // of a task or labelled text
  bool is_task = false;

  const ComparedFigure& main() const { return figures.front(); }
};

/// A model as it is, which rows are measured against.
struct ComparedModel {
  std::string label;  // its folder's name, or its label on the axis `model`
  std::vector<ComparedScore> scores;
};

struct ComparedRow {
  std::size_t model = 0;                                      // of ComparisonResult::full_precision
  std::vector<std::pair<std::string, std::string>> settings;  // (axis, label)
  std::vector<std::uint64_t> seeds;                           // where there are several
  std::vector<ComparedScore> scores;
  std::optional<std::size_t> baseline;  // the row that this one is measured against, if any
  std::vector<ComparedSites> sites;     // where they were asked for
  /// By phase, of the work of all its seeds, while other rows were at work; and the total.
  nlohmann::ordered_json seconds;
};

struct ComparisonResult {
  std::vector<ComparedModel> full_precision;  // one for each model
  std::vector<ComparedRow> rows;
};

struct CompareOptions {
  /// Also measure what quantization does to each kind of site, before and after the transform.
  bool site_errors = false;
  /// Start over, whatever an earlier attempt has finished.
  bool restart = false;
};

/// Runs every row and writes OUTPUT/compare.json. Each model is opened, and evaluated as it is,
/// once; each calibration set is read once; rows that have it in common are calibrated side by
/// side as far as memory_limit has room for them, for which each block is loaded once
/// (calib/side_by_side.h). Rows that are finished survive a kill. A row whose activations overflow
/// has figures that are no numbers, and a note says so. Without compare.baseline, rows are measured
/// against that of the first calibration set and otherwise the same settings, where calibration
/// sets are an axis. Throws: UsageError when there is no text to evaluate; otherwise as run_job.
ComparisonResult run_comparison(const Comparison& comparison, Progress& progress,
                                const CompareOptions& options = {});

/// What compare.json holds. Of several models, `full_precision` has an object for each, by label.
nlohmann::ordered_json to_json(const ComparisonResult& result);
/// Throws: nlohmann::ordered_json::exception when it is no comparison.
ComparisonResult comparison_from(const nlohmann::ordered_json& json);

}  // namespace evenkeel
