#include "calib/compare.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "calib/calibration.h"
#include "calib/compared_inputs.h"
#include "calib/evaluation_stream.h"
#include "calib/job_inputs.h"
#include "calib/output_folder.h"
#include "calib/score_json.h"
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
    row.difference.push_back({.label = row.scores[i].label,
                              .value = row.scores[i].value - first->scores[i].value,
                              .metric = row.scores[i].metric,
                              .task = row.scores[i].task});
  }
}

void add(SiteErrors& all, const SiteErrors& site, bool first) {
  all.low = first ? site.low : std::min(all.low, site.low);
  all.high = first ? site.high : std::max(all.high, site.high);
  all.input += site.input;
  all.weight += site.weight;
  all.output += site.output;
}

void divide(SiteErrors& sums, double count) {
  sums.input /= count;
  sums.weight /= count;
  sums.output /= count;
}

std::vector<ComparedSites> sites_by_name(const std::vector<SiteSummary>& sites) {
  std::vector<ComparedSites> all;
  std::vector<double> counts;
  for (const SiteSummary& site : sites) {
    if (!site.errors_before) continue;
    const std::string name = site.name.substr(site.name.rfind('.') + 1);
    const auto found = std::ranges::find(all, name, &ComparedSites::name);
    const auto i = static_cast<std::size_t>(found - all.begin());
    if (found == all.end()) {
      all.push_back({.name = name});
      counts.push_back(0.0);
    }
    const bool first = counts[i] == 0.0;
    add(all[i].before, *site.errors_before, first);
    add(all[i].after, *site.errors_after, first);
    counts[i] += 1.0;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    divide(all[i].before, counts[i]);
    divide(all[i].after, counts[i]);
  }
  return all;
}

ComparedRow run_row(const JobInputs& inputs, const ComparisonRow& row, bool site_errors,
                    HiddenMemory& memory, Progress& progress) {
  Stopwatch stopwatch;
  BlockOptions options = block_options(row.job, false);
  options.site_errors = site_errors;
  const auto outcome = calibrate_model(inputs.model(), inputs.samples(row.job), options,
                                       inputs.texts(), nullptr, progress, stopwatch, &memory);
  ComparedRow result;
  result.settings = row.settings;
  result.scores = outcome.scores;
  result.sites = sites_by_name(outcome.sites);
  result.seconds = to_json(stopwatch);
  return result;
}

// A row's blocks as steps of the whole comparison.
class RowProgress final : public Progress {
 public:
  RowProgress(Progress& outer, std::size_t row, std::size_t rows, const ComparisonRow& settings)
      : outer_(outer),
        row_(static_cast<int>(row)),
        rows_(static_cast<int>(rows)),
        label_(label_of(settings)) {}
  void step(std::string_view /*task*/, int done, int total, std::string_view /*detail*/) override {
    if (done == total && row_ + 1 != rows_) return;
    outer_.step("compare", row_ * total + done, rows_ * total, label_);
  }
  void note(std::string_view message) override { outer_.note(message); }
  void remark(std::string_view message) override { outer_.remark(message); }

 private:
  Progress& outer_;
  int row_;
  int rows_;
  std::string label_;
};

}  // namespace

ComparisonResult run_comparison(const Comparison& comparison, Progress& progress,
                                bool site_errors) {
  const Job& job = comparison.job;
  require_texts(job, "a comparison needs a text to compare on");
  const ComparedInputs inputs(comparison.rows);
  // Every corpus is read once before any work, so that a fault in the last row costs nothing.
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const JobInputs& model = inputs.at(inputs.model_of(i));
    model.check_choices(comparison.rows[i].job);
    static_cast<void>(model.samples(comparison.rows[i].job));
  }
  OutputFolder output(job.output);
  ComparisonResult result;
  result.metric = job.evaluate.metric();
  HiddenMemory memory(job.memory_limit, job.output);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.full_precision.push_back(
        {inputs.label(i),
         full_precision_scores(inputs.at(i).model(), inputs.at(i).texts(), progress, &memory)});
  }
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    RowProgress row_progress(progress, i, comparison.rows.size(), comparison.rows[i]);
    const std::size_t model = inputs.model_of(i);
    result.rows.push_back(
        run_row(inputs.at(model), comparison.rows[i], site_errors, memory, row_progress));
    result.rows.back().model = model;
    add_difference(result.rows, result.rows.back());
  }
  write_text(output.stage("compare.json"), to_json(result).dump(2) + "\n");
  output.commit();
  return result;
}

static nlohmann::ordered_json to_json(const SiteErrors& errors) {
  return {{"low", errors.low},
          {"high", errors.high},
          {"input_error", errors.input},
          {"weight_error", errors.weight},
          {"output_error", errors.output}};
}

nlohmann::ordered_json to_json(const ComparisonResult& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const ComparedRow& row : result.rows) {
    nlohmann::ordered_json settings = nlohmann::ordered_json::object();
    for (const auto& [axis, label] : row.settings) settings[axis] = label;
    nlohmann::ordered_json json{{"settings", settings}};
    put_scores(row.scores, result.metric, json);
    if (!row.difference.empty()) {
      json["difference"] = {{"from", row.difference_from}};
      put_scores(row.difference, result.metric, json["difference"]);
    }
    for (const ComparedSites& site : row.sites) {
      json["sites"][site.name] = {{"before", to_json(site.before)}, {"after", to_json(site.after)}};
    }
    json["seconds"] = row.seconds;
    rows.push_back(std::move(json));
  }
  nlohmann::ordered_json full_precision = nlohmann::ordered_json::object();
  for (const ComparedModel& model : result.full_precision) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    put_scores(model.scores, result.metric, json);
    for (const TextScore& text : model.scores) {
      if (text.examples > 0 && text.task.empty()) json["examples"][text.label] = text.examples;
    }
    if (result.full_precision.size() == 1) {
      full_precision = std::move(json);
    } else {
      full_precision[model.label] = std::move(json);
    }
  }
  return {{"full_precision", full_precision}, {"rows", rows}};
}

}  // namespace evenkeel
