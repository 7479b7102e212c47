// A comparison: the rows of a job's `compare:` section, run one after the other.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/job.h"
#include "calib/progress.h"
#include "calib/text_score.h"
#include "transforms/site_errors.h"

namespace evenkeel {

/// A model as it is, which rows are measured against.
struct ComparedModel {
  std::string label;  // its folder's name, or its label on the axis `model`
  std::vector<TextScore> scores;
};

/// Sites of one kind, over all blocks (and experts): the widest range and the mean errors.
struct ComparedSites {
  std::string name;  // "attention"
  SiteErrors before{};
  SiteErrors after{};
};

struct ComparedRow {
  std::size_t model = 0;                                      // of ComparisonResult::full_precision
  std::vector<std::pair<std::string, std::string>> settings;  // (axis, label)
  std::vector<TextScore> scores;
  /// Where the calibration set is an axis: each figure less that of the row with the first
  /// calibration set and otherwise the same settings; empty for that row itself.
  std::vector<TextScore> difference;
  std::string difference_from;       // the label of that first calibration set
  std::vector<ComparedSites> sites;  // where they were asked for
  nlohmann::ordered_json seconds;
};

struct ComparisonResult {
  Metric metric = Metric::perplexity;
  std::vector<ComparedModel> full_precision;
  std::vector<ComparedRow> rows;
};

/// Runs every row, each model opened and evaluated once, and writes OUTPUT/compare.json.
/// With `site_errors`, each row also says what quantization does to each kind of site before and
/// after the transform. Throws: UsageError when there is no text to evaluate; otherwise as run_job.
ComparisonResult run_comparison(const Comparison& comparison, Progress& progress,
                                bool site_errors = false);

/// What compare.json holds. Of several models, `full_precision` has an object for each, by label.
nlohmann::ordered_json to_json(const ComparisonResult& result);

}  // namespace evenkeel
