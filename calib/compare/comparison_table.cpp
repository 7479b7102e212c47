#include "calib/compare/comparison_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Cells = std::vector<std::string>;

bool has_baseline(const ComparedRow& row) { return row.baseline.has_value(); }
bool has_seeds(const ComparedRow& row) { return !row.seeds.empty(); }
bool any(const ComparisonResult& result, bool (*has)(const ComparedRow&)) {
  return std::ranges::any_of(result.rows, has);
}

std::vector<Page::Column> setting_columns(const ComparisonResult& result, std::size_t count) {
  std::vector<Page::Column> columns;
  for (std::size_t axis = 0; axis < count; ++axis) {
    columns.push_back({one_line(result.rows.front().settings[axis].first), false});
  }
  return columns;
}

std::size_t axes_of(const ComparisonResult& result) { return result.rows.front().settings.size(); }

Cells setting_cells(const ComparedRow& row, std::size_t count) {
  Cells cells;
  for (std::size_t axis = 0; axis < count; ++axis) {
    cells.push_back(one_line(row.settings[axis].second));
  }
  return cells;
}

// The columns of a text, as far as some row has something in them.
struct TextColumns {
  explicit TextColumns(const ComparisonResult& result)
      : seeds(any(result, has_seeds)), baseline(any(result, has_baseline)) {}
  bool seeds;
  bool baseline;

  void add_names(const ComparedScore& score, std::vector<Page::Column>& columns) const {
    columns.push_back({one_line(score.label)});
    columns.push_back({"error"});
    if (seeds) columns.push_back({"of seeds"});
    columns.push_back({score.main().metric == Metric::perplexity ? "ratio" : "change"});
    if (baseline) columns.push_back({"difference"});
    columns.push_back({"p"});
    for (std::size_t i = 1; i < score.figures.size(); ++i) {
      columns.push_back({in_words(score.figures[i].metric)});
      columns.push_back({"error"});
    }
  }

  void add_exact(const ComparedScore& score, Cells& cells) const {
    cells.push_back(score_text(score.main().value, score.main().metric));
    cells.push_back(error_text(score.main().standard_error, score.main().metric));
    cells.resize(cells.size() + 2 + (seeds ? 1 : 0) + (baseline ? 1 : 0));
    add_others(score, cells);
  }

  void add(const ComparedScore& score, double exact, const ComparedScore* base,
           Cells& cells) const {
    const ComparedFigure& main = score.main();
    const Metric metric = main.metric;
    const double value = main.value;
    const bool perplexity = metric == Metric::perplexity;
    cells.push_back(score_text(value, metric));
    cells.push_back(error_text(main.standard_error, metric));
    if (seeds) cells.push_back(error_text(main.seed_error, metric));
    cells.push_back(perplexity ? ratio_text(value, exact) : points_text(value - exact));
    if (base != nullptr) {
      const double difference = value - base->main().value;
      cells.push_back(perplexity ? difference_text(difference) : points_text(difference));
      cells.push_back(p_text(main.to_baseline->adjusted_p_value));
    } else if (baseline) {
      cells.resize(cells.size() + 2);
    } else {
      cells.push_back(p_text(main.to_full_precision.adjusted_p_value));
    }
    add_others(score, cells);
  }

 private:
  static void add_others(const ComparedScore& score, Cells& cells) {
    for (std::size_t i = 1; i < score.figures.size(); ++i) {
      const ComparedFigure& figure = score.figures[i];
      cells.push_back(score_text(figure.value, figure.metric));
      cells.push_back(error_text(figure.standard_error, figure.metric));
    }
  }
};

// Rows come in the order of the axes, the last one fastest.
std::size_t number_across(const ComparisonResult& result) {
  std::vector<std::string> labels;
  for (const ComparedRow& row : result.rows) {
    const std::string& label = row.settings.back().second;
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  }
  return labels.size();
}

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

void add_record(const PairedDifference* difference, Metric metric, Cells& cells) {
  if (difference == nullptr) {
    cells.resize(cells.size() + 4);
    return;
  }
  const bool ratio = metric == Metric::perplexity;
  const double value = ratio ? std::exp(difference->difference) : difference->difference;
  cells.push_back(number_text(value));
  cells.push_back(number_text(difference->standard_error * (ratio ? value : 1.0)));
  cells.push_back(number_text(difference->p_value));
  cells.push_back(number_text(difference->adjusted_p_value));
}

void add_records(const Cells& beginning, const std::vector<ComparedScore>& scores, bool is_row,
                 TextTable& table) {
  for (const ComparedScore& score : scores) {
    for (const ComparedFigure& figure : score.figures) {
      Cells cells = beginning;
      cells.push_back(score.label);
      cells.emplace_back(name_of(figure.metric));
      cells.push_back(number_text(figure.value));
      cells.push_back(number_text(figure.standard_error));
      cells.push_back(number_text(figure.seed_error));
      add_record(is_row ? &figure.to_full_precision : nullptr, figure.metric, cells);
      add_record(figure.to_baseline ? &*figure.to_baseline : nullptr, figure.metric, cells);
      table.rows.push_back(std::move(cells));
    }
  }
}

std::string range_text(const SiteErrors& errors) {
  return fmt::format("{:.2f} .. {:.2f}", errors.low, errors.high);
}

}  // namespace

std::string name_of(const ComparedModel& model, const ComparisonResult& result) {
  return result.full_precision.size() == 1 ? std::string(full_precision_label)
                                           : one_line(model.label) + " as it is";
}

std::string baseline_name(const ComparisonResult& result) {
  const auto row = std::ranges::find_if(result.rows, has_baseline);
  if (row == result.rows.end()) return std::string(full_precision_label);
  Cells labels;
  const auto& own = row->settings;
  const auto& other = result.rows[*row->baseline].settings;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i] != other[i]) labels.push_back(one_line(other[i].second));
  }
  return fmt::format("the same row with '{}'", fmt::join(labels, "', '"));
}

TextTable comparison_table(const ComparisonResult& result) {
  const TextColumns of_text(result);
  TextTable table{setting_columns(result, axes_of(result)), {}};
  for (const ComparedScore& score : result.full_precision.front().scores) {
    of_text.add_names(score, table.columns);
  }
  table.columns.push_back({"seconds"});
  for (const ComparedModel& model : result.full_precision) {
    Cells& cells = table.rows.emplace_back(axes_of(result));
    cells.front() = name_of(model, result);
    for (const ComparedScore& score : model.scores) of_text.add_exact(score, cells);
    cells.emplace_back();
  }
  for (const ComparedRow& row : result.rows) {
    Cells cells = setting_cells(row, axes_of(result));
    for (std::size_t i = 0; i < row.scores.size(); ++i) {
      of_text.add(row.scores[i], result.full_precision[row.model].scores[i].main().value,
                  row.baseline ? &result.rows[*row.baseline].scores[i] : nullptr, cells);
    }
    cells.push_back(fmt::format("{:.1f}", row.seconds.at("total").get<double>()));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

TextTable comparison_records(const ComparisonResult& result) {
  TextTable table{setting_columns(result, axes_of(result)), {}};
  for (const char* name : {"text", "metric", "value", "standard_error", "seed_error"}) {
    table.columns.push_back({name});
  }
  for (const char* to : {"full_precision", "baseline"}) {
    for (const char* name : {"to_{}", "to_{}_standard_error", "to_{}_p", "to_{}_adjusted_p"}) {
      table.columns.push_back({fmt::format(fmt::runtime(name), to)});
    }
  }
  for (const ComparedModel& model : result.full_precision) {
    Cells beginning(axes_of(result));
    beginning.front() = name_of(model, result);
    add_records(beginning, model.scores, false, table);
  }
  for (const ComparedRow& row : result.rows) {
    add_records(setting_cells(row, axes_of(result)), row.scores, true, table);
  }
  return table;
}

std::string comparison_legend(const ComparisonResult& result) {
  const auto& scores = result.full_precision.front().scores;
  const auto is_perplexity = [](const ComparedScore& score) {
    return score.main().metric == Metric::perplexity;
  };
  const bool perplexity = std::ranges::any_of(scores, is_perplexity);
  const bool others = !std::ranges::all_of(scores, is_perplexity);
  const bool baseline = any(result, has_baseline);
  std::string text =
      fmt::format("Columns named after a text: {}{}{}; error: its standard error{}.\n",
                  perplexity ? "perplexity" : "", perplexity && others ? ", or " : "",
                  others ? "accuracy or correlation" : "", others ? ", of shares in points" : "");
  for (const ComparedScore& score : scores) {
    if (score.examples > 0) {
      text += fmt::format("{}: {} examples.\n", one_line(score.label), score.examples);
    }
  }
  if (any(result, has_seeds)) text += "of seeds: the standard error over seeds.\n";
  if (perplexity) text += "ratio: to full precision.\n";
  if (others) text += "change: to full precision, in points.\n";
  if (baseline) text += fmt::format("difference: to {}.\n", baseline_name(result));
  return text +
         fmt::format(
             "p: of a paired test that there is no difference to {}, adjusted for the number of "
             "rows.\nseconds: of a row's own work, beside which other rows were at work.\n",
             baseline ? "that row" : baseline_name(result));
}

TextTable comparison_grid(const ComparisonResult& result, std::size_t text) {
  const std::size_t across = number_across(result);
  const std::size_t axes = axes_of(result) - 1;
  TextTable table{setting_columns(result, axes), {}};
  for (std::size_t i = 0; i < across; ++i) {
    table.columns.push_back({one_line(result.rows[i].settings.back().second)});
  }
  for (const ComparedModel& model : result.full_precision) {
    const ComparedFigure& exact = model.scores[text].main();
    Cells& cells = table.rows.emplace_back(axes);
    cells.front() = name_of(model, result);
    cells.resize(axes + across, score_text(exact.value, exact.metric));
  }
  for (std::size_t first = 0; first < result.rows.size(); first += across) {
    Cells cells = setting_cells(result.rows[first], axes);
    for (std::size_t i = first; i < first + across; ++i) {
      const ComparedFigure& figure = result.rows[i].scores[text].main();
      cells.push_back(score_text(figure.value, figure.metric));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

TextTable errors_table(const ComparisonResult& result) {
  TextTable table{setting_columns(result, axes_of(result)), {}};
  table.columns.push_back({"site", false});
  for (const char* figure : {"range", "input error", "weight error", "output error"}) {
    table.columns.push_back({fmt::format("{} before", figure)});
    table.columns.push_back({"after"});
  }
  for (const ComparedRow& row : result.rows) {
    for (const auto& [name, before, after] : row.sites) {
      Cells cells = setting_cells(row, axes_of(result));
      cells.push_back(name);
      cells.push_back(range_text(before));
      cells.push_back(range_text(after));
      for (const auto figure : {&SiteErrors::input, &SiteErrors::weight, &SiteErrors::output}) {
        cells.push_back(digits_text(before.*figure));
        cells.push_back(digits_text(after.*figure));
      }
      table.rows.push_back(std::move(cells));
    }
  }
  return table;
}

}  // namespace evenkeel
