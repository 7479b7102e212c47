#include "calib/compare/compare.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "calib/compare/cells.h"
#include "calib/compared_inputs.h"
#include "calib/evaluation_stream.h"
#include "calib/fingerprint.h"
#include "calib/finished_rows.h"
#include "calib/output_folder.h"
#include "calib/report/report.h"
#include "calib/score_json.h"
#include "calib/staged_job.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"

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

// What the runs of a row give, one for each seed: all of one model, row or text.
using Runs = std::vector<std::vector<TextScore>>;

// One figure of a text, by run.
std::vector<Figure> figures_of(const Runs& runs, std::size_t text, std::size_t figure) {
  std::vector<Figure> figures;
  for (const auto& run : runs) figures.push_back(all_figures(run[text]).at(figure));
  return figures;
}

ComparedFigure compared(const std::vector<Figure>& runs) {
  const Figure mean = mean_over_seeds(runs);
  ComparedFigure figure{mean.metric, mean.value, standard_error(mean)};
  if (runs.size() == 1) return figure;
  for (const Figure& run : runs) figure.runs.push_back(run.value);
  figure.seed_error = seed_error(runs);
  return figure;
}

ComparedScore compared(const Runs& runs, std::size_t text) {
  const TextScore& first = runs.front()[text];
  ComparedScore score{.label = first.label,
                      .figures = {},
                      .examples = first.examples,
                      .is_task = !first.task.empty()};
  for (std::size_t i = 0; i <= first.others.size(); ++i) {
    score.figures.push_back(compared(figures_of(runs, text, i)));
  }
  return score;
}

void add_seconds(nlohmann::ordered_json& sum, const nlohmann::ordered_json& more) {
  if (sum.is_null()) {
    sum = more;
    return;
  }
  for (auto& [phase, seconds] : sum.items()) {
    seconds = seconds.get<double>() + more.at(phase).get<double>();
  }
}

// In the place of scores that there are none of.
std::vector<TextScore> no_figures(std::vector<TextScore> scores) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (TextScore& score : scores) {
    score.value = none;
    std::ranges::fill(score.terms, none);
    for (Figure& other : score.others) {
      other.value = none;
      std::ranges::fill(other.terms, none);
    }
  }
  return scores;
}

// Rows without their scores; what they are made of goes to `runs`.
std::vector<ComparedRow> rows_from(const Comparison& comparison, const ComparedInputs& inputs,
                                   const std::vector<Cell>& cells, std::vector<CellResult> results,
                                   const std::vector<std::vector<TextScore>>& exact,
                                   Progress& progress, std::vector<Runs>& runs) {
  std::vector<ComparedRow> rows(comparison.rows.size());
  runs.resize(rows.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    ComparedRow& row = rows[cells[i].row];
    if (row.seeds.empty()) row.sites = std::move(results[i].sites);
    add_seconds(row.seconds, results[i].seconds);
    row.seeds.push_back(cells[i].seed);
    if (results[i].failure.empty()) {
      runs[cells[i].row].push_back(std::move(results[i].scores));
    } else {
      progress.note(fmt::format("row '{}' has no figures: {}",
                                one_line(label_of(comparison.rows[cells[i].row])),
                                results[i].failure));
      runs[cells[i].row].push_back(no_figures(exact[inputs.model_of(cells[i].row)]));
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].model = inputs.model_of(i);
    rows[i].settings = comparison.rows[i].settings;
    if (rows[i].seeds.size() == 1) rows[i].seeds.clear();
  }
  const Settings baseline = baseline_settings(comparison);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].baseline = baseline_row(rows, i, baseline);
  return rows;
}

void add_scores(const std::vector<Runs>& runs, const std::vector<std::vector<TextScore>>& exact,
                std::vector<ComparedRow>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ComparedRow& row = rows[i];
    for (std::size_t text = 0; text < runs[i].front().size(); ++text) {
      ComparedScore& score = row.scores.emplace_back(compared(runs[i], text));
      for (std::size_t each = 0; each < score.figures.size(); ++each) {
        ComparedFigure& figure = score.figures[each];
        const std::vector<Figure> own = figures_of(runs[i], text, each);
        figure.to_full_precision =
            paired_difference(own, figures_of({exact[row.model]}, text, each));
        if (!row.baseline) continue;
        figure.to_baseline = paired_difference(own, figures_of(runs[*row.baseline], text, each));
      }
    }
  }
}

void adjust_for_number(std::vector<ComparedRow>& rows) {
  for (std::size_t text = 0; text < rows.front().scores.size(); ++text) {
    for (std::size_t each = 0; each < rows.front().scores[text].figures.size(); ++each) {
      std::vector<PairedDifference*> to_full_precision;
      std::vector<PairedDifference*> to_baseline;
      for (ComparedRow& row : rows) {
        ComparedFigure& figure = row.scores[text].figures[each];
        to_full_precision.push_back(&figure.to_full_precision);
        if (figure.to_baseline) to_baseline.push_back(&*figure.to_baseline);
      }
      adjust(to_full_precision);
      adjust(to_baseline);
    }
  }
}

// Each model's, kept for when the comparison is continued, behind the cells.
std::vector<std::vector<TextScore>> scores_as_they_are(const ComparedInputs& inputs, const Job& job,
                                                       std::size_t cells, OutputFolder& folder,
                                                       Progress& progress) {
  const FinishedRows kept(folder);
  std::vector<std::vector<TextScore>> scores;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    auto known = kept_scores_of(kept.find(cells + i), inputs.at(i).texts());
    if (!known) {
      HiddenMemory memory(job.memory_limit, job.output);
      known = full_precision_scores(inputs.at(i).model(), inputs.at(i).texts(), progress, &memory);
      kept.keep(cells + i, kept_json(*known));
    }
    scores.push_back(std::move(*known));
  }
  return scores;
}

ComparisonResult compare(const Comparison& comparison, const ComparedInputs& inputs,
                         const Cells& cells, OutputFolder& folder, bool site_errors,
                         Progress& progress) {
  ComparisonResult result;
  const auto exact =
      scores_as_they_are(inputs, comparison.job, cells.all().size(), folder, progress);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ComparedModel& model = result.full_precision.emplace_back();
    model.label = inputs.label(i);
    for (std::size_t text = 0; text < exact[i].size(); ++text) {
      model.scores.push_back(compared(Runs{exact[i]}, text));
    }
  }
  std::vector<Runs> runs;
  result.rows = rows_from(comparison, inputs, cells.all(), cells.run(folder, site_errors, progress),
                          exact, progress, runs);
  add_scores(runs, exact, result.rows);
  adjust_for_number(result.rows);
  return result;
}

}  // namespace

ComparisonResult run_comparison(const Comparison& comparison, Progress& progress,
                                const CompareOptions& options) {
  const Job& job = comparison.job;
  require_texts(job, "a comparison needs a text to compare on");
  const ComparedInputs inputs(comparison.rows);
  const Cells cells(comparison, inputs);
  // Beside what a killed run of the same job has finished.
  OutputFolder folder(job.output, Leftovers::keep, ".comparing");
  continue_job(folder, fingerprint(comparison, inputs), options.restart,
               FinishedRows(folder).any());
  const ComparisonResult result =
      compare(comparison, inputs, cells, folder, options.site_errors, progress);
  write_text(folder.stage("compare.json"), to_json(result).dump(2) + "\n");
  stage_reports(folder, progress);
  folder.commit();
  return result;
}

}  // namespace evenkeel
