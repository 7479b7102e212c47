// calibrate analyze: what calibration sets do to a model's activations, and what its weights are.
#include "calib/analysis/analyze.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/job_arguments.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/analysis/analysis_tables.h"
#include "calib/progress_log.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate analyze configs/quickstart/compare.yaml
  calibrate analyze job.yaml --set analyze.outlier_threshold=3 --set output=out/analysis
  calibrate analyze job.yaml --csv > analysis.csv
Moves the job's calibration sets (compare.calibration, else calibration) through its models
(compare.model, else model) in full precision and writes OUTPUT/analysis.json,
OUTPUT/analysis.h5 and OUTPUT/report.html. transform, scheme, evaluate and other lists of compare are not read.
For --json, --quiet and --threads see calibrate --help.)";

struct Arguments {
  JobArguments job;
  bool csv = false;
};

std::string csv_of(const AnalysisResult& result) {
  std::string text;
  for (const TitledTable& each : analysis_tables(result, true)) {
    text += (text.empty() ? "" : "\n") + Table(each.table).csv();
  }
  return text;
}

std::string text_of(const AnalysisResult& result, bool emphasis) {
  std::string text;
  for (const TitledTable& each : analysis_tables(result, false)) {
    text += fmt::format("{}\n\n{}\n", each.title, Table(each.table).text(emphasis));
  }
  return text +
         "kurtosis: mean of the channels', 3 for a normal distribution. producers: rank "
         "correlation of channels' absmax and the\nspread of the weights that make them, mean of "
         "the blocks. RMSE: of symmetric codes. outlier dimensions, top 1 %: Jaccard\nindex; "
         "maxima, minima: correlation; distance: of ranges, 0 to 2.\n";
}

Outcome analyze(const Arguments& arguments, const ProgramOptions& options) {
  if (arguments.csv && options.json) {
    throw UsageError("--csv: given beside --json; give one of them");
  }
  const Comparison analysis = load_analysis(arguments.job.file, arguments.job.settings);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.job.log);
  const AnalysisResult result = run_analysis(analysis, progress);
  if (options.json) return {document(to_json(result)), ""};
  if (arguments.csv) return {csv_of(result), ""};
  return {fmt::format("{}\nwrote {}\nwrote {}\nwrote {}\n", text_of(result, options.emphasis),
                      shown_path(analysis.job.output / "analysis.json"),
                      shown_path(analysis.job.output / "analysis.h5"),
                      shown_path(analysis.job.output / "report.html")),
          ""};
}

}  // namespace

void add_analyze(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "analyze", "Statistics of activations over calibration sets, and of weights");
  command->footer(footer);
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(*command);
  command->add_flag("--csv", arguments->csv,
                    "Prints the tables as CSV, with every outlier channel");
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return analyze(*arguments, options); };
  });
}

}  // namespace evenkeel
