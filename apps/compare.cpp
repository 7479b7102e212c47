// calibrate compare: the rows of a job's `compare:` section as a table.
#include "calib/compare/compare.h"

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
#include "calib/compare/comparison_table.h"
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
  calibrate compare job.yaml --csv > figures.csv
Runs every combination of the job's compare: lists and writes OUTPUT/compare.json and
OUTPUT/report.html. A killed comparison continues with what is not finished.
For --json, --quiet and --threads see calibrate --help.)";

struct Shown {
  bool grid = false;
  bool csv = false;
  CompareOptions options;
};

std::string grids_text(const ComparisonResult& result, bool emphasis) {
  std::string all;
  const auto& scores = result.rows.front().scores;
  for (std::size_t text = 0; text < scores.size(); ++text) {
    all += fmt::format("{} on {}\n\n{}\n", name_of(scores[text].main().metric),
                       one_line(scores[text].label),
                       Table(comparison_grid(result, text)).text(emphasis));
  }
  return all;
}

std::string errors_text(const ComparisonResult& result, bool emphasis) {
  const Table table(errors_table(result));
  if (table.empty()) return "\nno row transforms a site: no errors to show\n";
  return "\n" + table.text(emphasis) +
         "\nRanges over all blocks, errors as means over blocks: squared error of the quantized "
         "input (a token), of the weights that read it (all), and of the site's output (a "
         "token).\n";
}

std::string result_text(const ComparisonResult& result, const Shown& shown, bool emphasis) {
  std::string text = shown.grid ? grids_text(result, emphasis)
                                : Table(comparison_table(result)).text(emphasis) + "\n" +
                                      comparison_legend(result);
  return shown.options.site_errors ? text + errors_text(result, emphasis) : text;
}

Outcome compare(const JobArguments& arguments, const Shown& shown, const ProgramOptions& options) {
  if (shown.csv && options.json) {
    throw UsageError("--csv: given beside --json; give one of them");
  }
  if (shown.grid && (shown.csv || options.json)) {
    throw UsageError("--grid: a table for people; leave out --csv and --json");
  }
  if (shown.csv && shown.options.site_errors) {
    throw UsageError("--errors: not among the figures of --csv; leave one of them out");
  }
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
  const ComparisonResult result = run_comparison(comparison, progress, shown.options);
  if (options.json) return {document(to_json(result)), ""};
  if (shown.csv) return {Table(comparison_records(result)).csv(), ""};
  return {fmt::format("{}wrote {}\nwrote {}\n", result_text(result, shown, options.emphasis),
                      shown_path(comparison.job.output / "compare.json"),
                      shown_path(comparison.job.output / "report.html")),
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
  command->add_flag("--csv", shown->csv,
                    "Prints every figure as comma-separated values, numbers in full");
  command->add_flag("--errors", shown->options.site_errors,
                    "Also measures what quantization does to each kind of site, before and after "
                    "the transform");
  command->add_flag("--restart", shown->options.restart,
                    "Starts over, whatever an earlier attempt has finished");
  command->callback([arguments, shown, &action] {
    action = [arguments, shown](const ProgramOptions& options) {
      return compare(*arguments, *shown, options);
    };
  });
}

}  // namespace evenkeel
