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
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate compare configs/quickstart/compare.yaml
  calibrate compare job.yaml --set 'compare.scheme=[w8a8, w4a4]' --set evaluate.windows=8
Runs every combination of the job's compare: lists on one model and writes OUTPUT/compare.json.
For --json, --quiet and --threads see calibrate --help.)";

bool has_differences(const ComparisonResult& result) {
  return std::ranges::any_of(result.rows, [](const auto& row) { return !row.difference.empty(); });
}

std::vector<Table::Column> columns_of(const ComparisonResult& result) {
  std::vector<Table::Column> columns;
  for (const auto& [axis, label] : result.rows.front().settings) {
    columns.push_back({one_line(axis), Table::Align::left});
  }
  for (const TextPerplexity& text : result.full_precision) {
    columns.push_back({one_line(text.label)});
    columns.push_back({"ratio"});
    if (has_differences(result)) columns.push_back({"difference"});
  }
  columns.push_back({"seconds"});
  return columns;
}

std::vector<std::string> full_precision_cells(const ComparisonResult& result) {
  std::vector<std::string> cells(result.rows.front().settings.size());
  cells.front() = "full precision";
  for (const TextPerplexity& text : result.full_precision) {
    cells.push_back(perplexity_text(text.value));
    cells.emplace_back();
    if (has_differences(result)) cells.emplace_back();
  }
  cells.emplace_back();
  return cells;
}

std::vector<std::string> cells_of(const ComparedRow& row, const ComparisonResult& result) {
  std::vector<std::string> cells;
  for (const auto& [axis, label] : row.settings) cells.push_back(one_line(label));
  for (std::size_t i = 0; i < row.perplexity.size(); ++i) {
    const double value = row.perplexity[i].value;
    cells.push_back(perplexity_text(value));
    cells.push_back(ratio_text(value, result.full_precision[i].value));
    if (!row.difference.empty()) {
      cells.push_back(difference_text(row.difference[i].value));
    } else if (has_differences(result)) {
      cells.emplace_back();
    }
  }
  cells.push_back(fmt::format("{:.1f}", row.seconds.at("total").get<double>()));
  return cells;
}

std::string legend(const ComparisonResult& result) {
  std::string text =
      "Columns named after a text: perplexity; ratio: to full precision; seconds: of the row.\n";
  const auto row = std::ranges::find_if(
      result.rows, [](const ComparedRow& each) { return !each.difference.empty(); });
  if (row == result.rows.end()) return text;
  return text + fmt::format("difference: to the perplexity of the same row calibrated on '{}'.\n",
                            one_line(row->difference_from));
}

std::string comparison_text(const ComparisonResult& result, bool emphasis) {
  Table table(columns_of(result));
  table.add(full_precision_cells(result));
  for (const ComparedRow& row : result.rows) table.add(cells_of(row, result));
  return table.text(emphasis) + "\n" + legend(result);
}

Outcome compare(const JobArguments& arguments, const ProgramOptions& options) {
  const Comparison comparison = load_comparison(arguments.file, arguments.settings);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.log);
  const ComparisonResult result = run_comparison(comparison, progress);
  if (options.json) return {document(to_json(result)), ""};
  return {fmt::format("{}wrote {}\n", comparison_text(result, options.emphasis),
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
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return compare(*arguments, options); };
  });
}

}  // namespace evenkeel
