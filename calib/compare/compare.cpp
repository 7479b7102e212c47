#include "calib/compare/compare.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "calib/compare/cells.h"
#include "calib/compared_inputs.h"
#include "calib/evaluation_stream.h"
#include "calib/fingerprint.h"
#include "calib/finished_rows.h"
#include "calib/output_folder.h"
#include "calib/staged_job.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

constexpr std::string_view calibration_axis = "calibration";

using Settings = std::vector<std::pair<std::string, std::string>>;

Fingerprint fingerprint(const Comparison& comparison, const ComparedInputs& inputs) {
  std::vector<const Checkpoint*> checkpoints;
  for (std::size_t row = 0; row < comparison.rows.size(); ++row) {
    checkpoints.push_back(&inputs.at(inputs.model_of(row)).model().checkpoint());
  }
  return fingerprint_of(comparison, checkpoints);
}

// The labels that make a row's baseline of it; none: full precision.
Settings baseline_settings(const Comparison& comparison) {
  if (comparison.baseline) return comparison.baseline->settings;
  for (const auto& [axis, label] : comparison.rows.front().settings) {
    if (axis == calibration_axis) return {{axis, label}};
  }
  return {};
}

std::optional<std::size_t> baseline_row(const std::vector<ComparedRow>& rows, std::size_t row,
                                        const Settings& baseline) {
  if (baseline.empty()) return std::nullopt;
  Settings wanted = rows[row].settings;
  for (auto& [axis, label] : wanted) {
    for (const auto& [fixed, its_label] : baseline) {
      if (axis == fixed) label = its_label;
    }
  }
  const auto found = std::ranges::find(rows, wanted, &ComparedRow::settings);
  const auto number = static_cast<std::size_t>(found - rows.begin());
  return found == rows.end() || number == row ? std::nullopt : std::optional(number);
}

std::vector<Figure> figures_of(const std::vector<std::vector<TextScore>>& runs, std::size_t text) {
  std::vector<Figure> figures;
  for (const auto& run : runs) figures.push_back(run[text].figure());
  return figures;
}

TextScore mean_score(const std::vector<std::vector<TextScore>>& runs, std::size_t text) {
  TextScore score = runs.front()[text];
  Figure mean = mean_over_seeds(figures_of(runs, text));
  score.value = mean.value;
  score.terms = std::move(mean.terms);
  for (std::size_t other = 0; other < score.others.size(); ++other) {
    std::vector<Figure> figures;
    for (const auto& run : runs) figures.push_back(run[text].others[other]);
    score.others[other] = mean_over_seeds(figures);
  }
  return score;
}

std::vector<ComparedRow> rows_from(const Comparison& comparison, const ComparedInputs& inputs,
                                   const std::vector<Cell>& cells,
                                   std::vector<CellResult> results) {
  std::vector<ComparedRow> rows(comparison.rows.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    ComparedRow& row = rows[cells[i].row];
    CellResult& result = results[i];
    if (row.runs.empty()) {
      row.sites = std::move(result.sites);
      row.seconds = std::move(result.seconds);
    } else {
      for (auto& [phase, seconds] : row.seconds.items()) {
        seconds = seconds.get<double>() + result.seconds.at(phase).get<double>();
      }
    }
    row.seeds.push_back(cells[i].seed);
    row.runs.push_back(std::move(result.scores));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ComparedRow& row = rows[i];
    row.model = inputs.model_of(i);
    row.settings = comparison.rows[i].settings;
    if (row.seeds.size() == 1) row.seeds.clear();
    for (std::size_t text = 0; text < row.runs.front().size(); ++text) {
      row.scores.push_back(mean_score(row.runs, text));
      row.seed_errors.push_back(seed_error(figures_of(row.runs, text)));
    }
  }
  return rows;
}

void measure(const Comparison& comparison, ComparisonResult& result) {
  const Settings baseline = baseline_settings(comparison);
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    ComparedRow& row = result.rows[i];
    row.baseline = baseline_row(result.rows, i, baseline);
    for (std::size_t text = 0; text < row.scores.size(); ++text) {
      const std::vector<Figure> own = figures_of(row.runs, text);
      const Figure exact = result.full_precision[row.model].scores[text].figure();
      row.to_full_precision.push_back(paired_difference(own, std::span(&exact, 1)));
      if (!row.baseline) continue;
      row.to_baseline.push_back(
          paired_difference(own, figures_of(result.rows[*row.baseline].runs, text)));
    }
  }
  for (auto tests : {&ComparedRow::to_full_precision, &ComparedRow::to_baseline}) {
    for (std::size_t text = 0; text < result.rows.front().scores.size(); ++text) {
      std::vector<PairedDifference*> of_text;
      for (ComparedRow& row : result.rows) {
        if (text < (row.*tests).size()) of_text.push_back(&(row.*tests)[text]);
      }
      adjust(of_text);
    }
  }
}

std::vector<ComparedModel> models_as_they_are(const ComparedInputs& inputs, const Job& job,
                                              Progress& progress) {
  std::vector<ComparedModel> models;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    HiddenMemory memory(job.memory_limit, job.output);
    models.push_back(
        {inputs.label(i),
         full_precision_scores(inputs.at(i).model(), inputs.at(i).texts(), progress, &memory)});
  }
  return models;
}

}  // namespace

ComparisonResult run_comparison(const Comparison& comparison, Progress& progress,
                                const CompareOptions& options) {
  const Job& job = comparison.job;
  require_texts(job, "a comparison needs a text to compare on");
  const ComparedInputs inputs(comparison.rows);
  const Cells cells(comparison, inputs);
  OutputFolder folder(job.output, Leftovers::keep);
  continue_job(folder, fingerprint(comparison, inputs), options.restart,
               FinishedRows(folder).any());
  ComparisonResult result;
  result.full_precision = models_as_they_are(inputs, job, progress);
  result.rows =
      rows_from(comparison, inputs, cells.all(), cells.run(folder, options.site_errors, progress));
  measure(comparison, result);
  write_text(folder.stage("compare.json"), to_json(result).dump(2) + "\n");
  folder.commit();
  return result;
}

}  // namespace evenkeel
