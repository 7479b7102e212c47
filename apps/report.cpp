// calibrate report: the page of a job that has ended, written anew.
#include "calib/report/report.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/progress_bar.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate report out/my-model
Writes OUTPUT/report.html and OUTPUT/charts (each chart as SVG, its figures as CSV) from what the job
left there. Charts are drawn by gnuplot; without it there are tables alone.
For --json and --quiet see calibrate --help.)";

Outcome report(const std::string& output, const ProgramOptions& options) {
  ProgressBar progress(stderr, options.quiet);
  write_report(output, progress);
  const std::filesystem::path folder(output);
  if (options.json) {
    return {document({{"report", (folder / "report.html").string()},
                      {"charts", (folder / "charts").string()}}),
            ""};
  }
  return {fmt::format("wrote {}\nwrote {}\n", shown_path(folder / "report.html"),
                      shown_path(folder / "charts")),
          ""};
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("report", "Writes the report of a job's outputs anew");
  command->footer(footer);
  const auto output = std::make_shared<std::string>();
  command->add_option("OUTPUT", *output, "The output folder of a job that has ended")->required();
  command->callback([output, &action] {
    action = [output](const ProgramOptions& options) { return report(*output, options); };
  });
}

}  // namespace evenkeel
