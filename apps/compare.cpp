// calibrate compare: the rows of a job's `compare:` section as a table.
#include "calib/compare.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/job_arguments.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/progress_log.h"
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate compare configs/quickstart/compare.yaml
  calibrate compare job.yaml --set 'compare.scheme=[w8a8, w4a4]' --set evaluate.windows=8
  calibrate compare job.yaml --grid
  calibrate compare job.yaml --errors
Runs every combination of the job's compare: lists and writes OUTPUT/compare.json.
For --json, --quiet and --threads see calibrate --help.)";

struct Shown {
  bool grid = false;
  bool errors = false;
};

bool has_differences(const ComparisonResult& result) {
  return std::ranges::any_of(result.rows, [](const auto& row) { return !row.difference.empty(); });
}

std::vector<Table::Column> columns_of(const ComparisonResult& result) {
  std::vector<Table::Column> columns;
  for (const auto& [axis, label] : result.rows.front().settings) {
    columns.push_back({one_line(axis), Table::Align::left});
  }
  for (const TextScore& text : result.full_precision.front().scores) {
    columns.push_back({one_line(text.label)});
    columns.push_back({result.metric == Metric::perplexity ? "ratio" : "change"});
    if (has_differences(result)) columns.push_back({"difference"});
  }
  columns.push_back({"seconds"});
  return columns;
}

std::string name_of(const ComparedModel& model, const ComparisonResult& result) {
  return result.full_precision.size() == 1 ? "full precision" : one_line(model.label) + " as it is";
}

std::vector<std::string> full_precision_cells(const ComparedModel& model,
                                              const ComparisonResult& result) {
  std::vector<std::string> cells(result.rows.front().settings.size());
  cells.front() = name_of(model, result);
  for (const TextScore& text : model.scores) {
    cells.push_back(score_text(text.value, result.metric));
    cells.emplace_back();
    if (has_differences(result)) cells.emplace_back();
  }
  cells.emplace_back();
  return cells;
}

std::vector<std::string> cells_of(const ComparedRow& row, const ComparisonResult& result) {
  std::vector<std::string> cells;
  for (const auto& [axis, label] : row.settings) cells.push_back(one_line(label));
  const bool perplexity = result.metric == Metric::perplexity;
  for (std::size_t i = 0; i < row.scores.size(); ++i) {
    const double value = row.scores[i].value;
    const double base = result.full_precision[row.model].scores[i].value;
    cells.push_back(score_text(value, result.metric));
    cells.push_back(perplexity ? ratio_text(value, base) : points_text(value - base));
    if (!row.difference.empty()) {
      const double difference = row.difference[i].value;
      cells.push_back(perplexity ? difference_text(difference) : points_text(difference));
    } else if (has_differences(result)) {
      cells.emplace_back();
    }
  }
  cells.push_back(fmt::format("{:.1f}", row.seconds.at("total").get<double>()));
  return cells;
}

std::string accuracy_legend(const ComparisonResult& result) {
  std::string text =
      "Columns named after a text: accuracy; change: to full precision, in points; seconds: of the "
      "row.\n";
  for (const TextScore& score : result.full_precision.front().scores) {
    text += fmt::format("{}: {} examples; the standard error of full precision is {}.\n",
                        one_line(score.label), score.examples,
                        percent_text(standard_error(score.figure())));
  }
  return text;
}

std::string legend(const ComparisonResult& result) {
  std::string text =
      result.metric == Metric::perplexity
          ? "Columns named after a text: perplexity; ratio: to full precision; seconds: of the "
            "row.\n"
          : accuracy_legend(result);
  const auto row = std::ranges::find_if(
      result.rows, [](const ComparedRow& each) { return !each.difference.empty(); });
  if (row == result.rows.end()) return text;
  return text + fmt::format("difference: to the {} of the same row calibrated on '{}'.\n",
                            name_of(result.metric), one_line(row->difference_from));
}

// Rows come in the order of the axes, the last one fastest.
std::size_t number_across(const ComparisonResult& result) {
  std::vector<std::string> labels;
  for (const ComparedRow& row : result.rows) {
    const std::string& label = row.settings.back().second;
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  }
  return labels.size();
}

std::string comparison_text(const ComparisonResult& result, bool emphasis) {
  Table table(columns_of(result));
  for (const ComparedModel& model : result.full_precision) {
    table.add(full_precision_cells(model, result));
  }
  for (const ComparedRow& row : result.rows) table.add(cells_of(row, result));
  return table.text(emphasis) + "\n" + legend(result);
}

// One table for each text: the last axis across, the others down, as papers print them.
std::string grid_text(const ComparisonResult& result, bool emphasis) {
  const std::size_t across = number_across(result);
  const std::size_t axes = result.rows.front().settings.size() - 1;
  std::string all;
  for (std::size_t text = 0; text < result.rows.front().scores.size(); ++text) {
    std::vector<Table::Column> columns;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      columns.push_back({one_line(result.rows.front().settings[axis].first), Table::Align::left});
    }
    for (std::size_t i = 0; i < across; ++i) {
      columns.push_back({one_line(result.rows[i].settings.back().second)});
    }
    Table table(std::move(columns));
    for (const ComparedModel& model : result.full_precision) {
      std::vector<std::string> cells(axes);
      cells.front() = name_of(model, result);
      cells.resize(axes + across, score_text(model.scores[text].value, result.metric));
      table.add(std::move(cells));
    }
    for (std::size_t first = 0; first < result.rows.size(); first += across) {
      std::vector<std::string> cells;
      for (std::size_t axis = 0; axis < axes; ++axis) {
        cells.push_back(one_line(result.rows[first].settings[axis].second));
      }
      for (std::size_t i = first; i < first + across; ++i) {
        cells.push_back(score_text(result.rows[i].scores[text].value, result.metric));
      }
      table.add(std::move(cells));
    }
    all += fmt::format("{} on {}\n\n{}\n", name_of(result.metric),
                       one_line(result.rows.front().scores[text].label), table.text(emphasis));
  }
  return all;
}

std::string errors_text(const ComparisonResult& result, bool emphasis) {
  std::vector<Table::Column> columns;
  for (const auto& [axis, label] : result.rows.front().settings) {
    columns.push_back({one_line(axis), Table::Align::left});
  }
  columns.push_back({"site", Table::Align::left});
  for (const char* figure : {"range", "input error", "weight error", "output error"}) {
    columns.push_back({fmt::format("{} before", figure)});
    columns.push_back({"after"});
  }
  Table table(std::move(columns));
  const auto range = [](const SiteErrors& errors) {
    return fmt::format("{:.2f} .. {:.2f}", errors.low, errors.high);
  };
  for (const ComparedRow& row : result.rows) {
    for (const ComparedSites& site : row.sites) {
      std::vector<std::string> cells;
      for (const auto& [axis, label] : row.settings) cells.push_back(one_line(label));
      cells.push_back(site.name);
      cells.push_back(range(site.before));
      cells.push_back(range(site.after));
      for (const auto& [before, after] : {std::pair(site.before.input, site.after.input),
                                          std::pair(site.before.weight, site.after.weight),
                                          std::pair(site.before.output, site.after.output)}) {
        cells.push_back(digits_text(before));
        cells.push_back(digits_text(after));
      }
      table.add(std::move(cells));
    }
  }
  if (table.empty()) return "\nno row transforms a site: no errors to show\n";
  return "\n" + table.text(emphasis) +
         "\nRanges over all blocks, errors as means over blocks: squared error of the quantized "
         "input (a token), of the weights that read it (all), and of the site's output (a "
         "token).\n";
}

Outcome compare(const JobArguments& arguments, Shown shown, const ProgramOptions& options) {
  const Comparison comparison = load_comparison(arguments.file, arguments.settings);
  if (shown.grid && comparison.rows.front().settings.size() < 2) {
    throw UsageError(fmt::format(
        "{}: --grid sets one axis of compare: against another; there is one", arguments.file));
  }
  if (shown.grid && comparison.rows.front().settings.back().first == "model") {
    throw UsageError(
        fmt::format("{}: --grid sets figures of one model side by side; list `model` before the "
                    "other axes",
                    arguments.file));
  }
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.log);
  const ComparisonResult result = run_comparison(comparison, progress, shown.errors);
  if (options.json) return {document(to_json(result)), ""};
  return {fmt::format("{}{}wrote {}\n",
                      shown.grid ? grid_text(result, options.emphasis)
                                 : comparison_text(result, options.emphasis),
                      shown.errors ? errors_text(result, options.emphasis) : "",
                      shown_path(comparison.job.output / "compare.json")),
          ""};
}

}  // namespace

void add_compare(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "compare", "Compares methods, schemes and calibration sets of a job in a table");
  command->footer(footer);
  const auto arguments = std::make_shared<JobArguments>();
  arguments->add_to(*command);
  const auto shown = std::make_shared<Shown>();
  command->add_flag("--grid", shown->grid, "Prints the last axis across and the others down");
  command->add_flag("--errors", shown->errors,
                    "Also measures what quantization does to each kind of site, before and after "
                    "the transform");
  command->callback([arguments, shown, &action] {
    action = [arguments, shown](const ProgramOptions& options) {
      return compare(*arguments, *shown, options);
    };
  });
}

}  // namespace evenkeel
