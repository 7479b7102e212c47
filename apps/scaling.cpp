// calibrate scaling: how well models do over the bits that they take.
#include "calib/scaling/scaling.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/job_arguments.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/byte_size.h"
#include "calib/progress_log.h"
#include "calib/scaling/scaling_json.h"
#include "calib/scaling/scaling_points.h"
#include "calib/scaling/scaling_report.h"
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate scaling configs/papers/k-bit.yaml
  calibrate scaling job.yaml --budget 12MiB --budget 20MiB
  calibrate scaling job.yaml --set evaluate.windows=4 --all
Evaluates every combination of the job's compare: lists, counts the bits that each takes, and writes
OUTPUT/scaling.json, OUTPUT/report.html and OUTPUT/charts. A killed job continues with its next row.
For --json, --quiet and --threads see calibrate --help.)";

struct Arguments {
  JobArguments job;
  std::vector<std::string> budgets;
  bool all = false;
  bool restart = false;
};

std::vector<std::uint64_t> budgets_of(const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> budgets;
  for (const std::string& text : texts) {
    const auto bytes = parse_byte_size(text);
    if (!bytes || *bytes == 0) {
      throw UsageError(
          fmt::format("--budget: expected {}; got {}", byte_size_spelling(), in_quotes(text)));
    }
    budgets.push_back(*bytes);
  }
  return budgets;
}

std::string table_of(const ScalingResult& result, const std::vector<ScalingPoint>& points,
                     bool emphasis) {
  const std::string loss(loss_name(result));
  const std::string metric(name_of(result.metric));
  std::vector<Table::Column> columns{
      {"setting", Table::Align::left}, {"MB"}, {"bits a weight"}, {metric}};
  const bool other = loss != metric;
  if (other) columns.push_back({loss});
  Table table(std::move(columns));
  for (const ScalingPoint& point : points) {
    const auto& bits = point.row ? result.rows[*point.row].bits : result.models[point.model].bits;
    const auto& scores =
        point.row ? result.rows[*point.row].scores : result.models[point.model].scores;
    std::vector<std::string> cells{one_line(text_of(point, result)),
                                   fmt::format("{:.3f}", static_cast<double>(bits.total()) / 8e6),
                                   fmt::format("{:.3f}", bits.per_weight()),
                                   score_text(scores.front().value, result.metric)};
    if (other) cells.push_back(fmt::format("{:.4f}", point.loss));
    table.add(std::move(cells));
  }
  return table.text(emphasis);
}

std::string recommendation(const ScalingResult& result, const std::vector<ScalingPoint>& points,
                           std::uint64_t budget) {
  const auto best = best_within(points, budget);
  if (!best) return fmt::format("{}: no setting is as small\n", byte_size_text(budget));
  return fmt::format("{}: {} ({:.3f} MB, {} {:.4f})\n", byte_size_text(budget),
                     one_line(text_of(*best, result)), static_cast<double>(best->total_bits) / 8e6,
                     loss_name(result), best->loss);
}

std::string result_text(const ScalingResult& result, const Arguments& arguments,
                        const std::vector<std::uint64_t>& budgets, bool emphasis) {
  const auto points = points_of(result);
  std::string text;
  if (arguments.all) {
    text += table_of(result, points, emphasis) + "\n";
  }
  for (const auto& family : families_of(result)) {
    text +=
        fmt::format("{}: the best setting from each size on\n\n{}\n", one_line(family),
                    table_of(result, pareto_front(of_family(result, points, family)), emphasis));
  }
  for (const std::uint64_t budget : budgets) text += recommendation(result, points, budget);
  if (!budgets.empty()) text += "\n";
  for (const std::string& answer : scaling_answers(result)) text += answer + "\n";
  return text;
}

Outcome scaling(const Arguments& arguments, const ProgramOptions& options) {
  const std::vector<std::uint64_t> budgets = budgets_of(arguments.budgets);
  const Comparison comparison = load_scaling(arguments.job.file, arguments.job.settings);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.job.log);
  const ScalingResult result = run_scaling(comparison, progress, arguments.restart);
  if (options.json) {
    auto json = to_json(result, comparison.job);
    const auto points = points_of(result);
    for (const std::uint64_t budget : budgets) {
      const auto best = best_within(points, budget);
      json["budgets"][fmt::format("{}", budget)] =
          best ? nlohmann::ordered_json(text_of(*best, result)) : nlohmann::ordered_json(nullptr);
    }
    return {document(json), ""};
  }
  return {fmt::format("{}\nwrote {}\nwrote {}\n",
                      result_text(result, arguments, budgets, options.emphasis),
                      shown_path(comparison.job.output / "scaling.json"),
                      shown_path(comparison.job.output / "report.html")),
          ""};
}

}  // namespace

void add_scaling(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "scaling", "Evaluates models at many precisions, over the bits that they then take");
  command->footer(footer);
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(*command);
  command->add_option("--budget", arguments->budgets,
                      "Also says which setting is the best of at most so many bytes (12MiB); may "
                      "be repeated");
  command->add_flag("--all", arguments->all, "Prints every setting, not only the best");
  command->add_flag("--restart", arguments->restart,
                    "Starts over, whatever an earlier attempt has finished");
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return scaling(*arguments, options); };
  });
}

}  // namespace evenkeel
