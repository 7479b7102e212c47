#include "calib/compare.h"

#include <algorithm>

#include <fmt/format.h>

#include "calib/calibration.h"
#include "calib/evaluation_stream.h"
#include "calib/job_inputs.h"
#include "calib/output_folder.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

constexpr std::string_view calibration_axis = "calibration";

// The row with the first calibration set and otherwise the same settings, if it is another one.
const ComparedRow* counterpart(const std::vector<ComparedRow>& rows, const ComparedRow& row) {
  const auto same_but_calibration = [&](const ComparedRow& other) {
    return std::equal(
        row.settings.begin(), row.settings.end(), other.settings.begin(),
        [](const auto& a, const auto& b) { return a == b || a.first == calibration_axis; });
  };
  const auto found = std::find_if(rows.begin(), rows.end(), same_but_calibration);
  return found == rows.end() || &*found == &row ? nullptr : &*found;
}

void add_difference(const std::vector<ComparedRow>& rows, ComparedRow& row) {
  const ComparedRow* first = counterpart(rows, row);
  if (first == nullptr) return;
  for (const auto& [axis, label] : first->settings) {
    if (axis == calibration_axis) row.difference_from = label;
  }
  for (std::size_t i = 0; i < row.scores.size(); ++i) {
    row.difference.push_back({row.scores[i].label, row.scores[i].value - first->scores[i].value});
  }
}

ComparedRow run_row(const JobInputs& inputs, const ComparisonRow& row, Progress& progress) {
  Stopwatch stopwatch;
  const BlockOptions options{.transform = row.job.transform,
                             .scheme = row.job.scheme,
                             .batch = static_cast<std::size_t>(row.job.calibration.batch),
                             .keep = false};
  const auto outcome = calibrate_model(inputs.model(), inputs.samples(row.job), options,
                                       inputs.texts(), nullptr, progress, stopwatch);
  ComparedRow result;
  result.settings = row.settings;
  result.scores = outcome.scores;
  result.seconds = to_json(stopwatch);
  return result;
}

// A row's blocks as steps of the whole comparison.
class RowProgress final : public Progress {
 public:
  RowProgress(Progress& outer, std::size_t row, std::size_t rows, const ComparisonRow& settings)
      : outer_(outer), row_(static_cast<int>(row)), rows_(static_cast<int>(rows)) {
    for (const auto& [axis, label] : settings.settings) {
      label_ += label_.empty() ? label : ", " + label;
    }
  }
  void step(std::string_view /*task*/, int done, int total, std::string_view /*detail*/) override {
    if (done == total && row_ + 1 != rows_) return;
    outer_.step("compare", row_ * total + done, rows_ * total, label_);
  }
  void note(std::string_view message) override { outer_.note(message); }

 private:
  Progress& outer_;
  int row_;
  int rows_;
  std::string label_;
};

}  // namespace

ComparisonResult run_comparison(const Comparison& comparison, Progress& progress) {
  const Job& job = comparison.job;
  if (job.evaluate.files().empty()) {
    throw UsageError(
        fmt::format("{}: evaluate.perplexity (of a classifier: evaluate.accuracy) is missing; a "
                    "comparison needs a text to compare on",
                    job.file.string()));
  }
  const JobInputs inputs(job);
  for (const ComparisonRow& row : comparison.rows) inputs.check_scheme(row.job);
  // Every corpus is read once before any work, so that a fault in the last row costs nothing.
  for (const ComparisonRow& row : comparison.rows) static_cast<void>(inputs.samples(row.job));
  OutputFolder output(job.output);
  ComparisonResult result;
  result.metric = job.evaluate.metric();
  result.full_precision = full_precision_scores(inputs.model(), inputs.texts(), progress);
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    RowProgress row_progress(progress, i, comparison.rows.size(), comparison.rows[i]);
    result.rows.push_back(run_row(inputs, comparison.rows[i], row_progress));
    add_difference(result.rows, result.rows.back());
  }
  write_text(output.stage("compare.json"), to_json(result).dump(2) + "\n");
  output.commit();
  return result;
}

nlohmann::ordered_json to_json(const ComparisonResult& result) {
  const std::string metric(name_of(result.metric));
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const ComparedRow& row : result.rows) {
    nlohmann::ordered_json settings = nlohmann::ordered_json::object();
    for (const auto& [axis, label] : row.settings) settings[axis] = label;
    nlohmann::ordered_json json{{"settings", settings}, {metric, to_json(row.scores)}};
    if (!row.difference.empty()) {
      json["difference"] = {{"from", row.difference_from}, {metric, to_json(row.difference)}};
    }
    json["seconds"] = row.seconds;
    rows.push_back(std::move(json));
  }
  nlohmann::ordered_json full_precision{{metric, to_json(result.full_precision)}};
  for (const TextScore& text : result.full_precision) {
    if (text.examples > 0) full_precision["examples"][text.label] = text.examples;
  }
  return {{"full_precision", full_precision}, {"rows", rows}};
}

}  // namespace evenkeel
