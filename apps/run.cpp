// calibrate run: the job.
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
#include "calib/byte_size.h"
#include "calib/progress_log.h"
#include "calib/report/scheme_fields.h"
#include "calib/runner.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* footer = R"(Examples:
  calibrate run configs/quickstart/calibrate.yaml
  calibrate run job.yaml --set scheme=w4a4 --set output=out/w4a4 --threads 2
  calibrate run job.yaml --set calibration.random=ascii --json > summary.json
Relative paths in a job are relative to the job file. Outputs: model/ (full precision, shift and
scale folded in), quantized/ (integers), calibration.h5, summary.json, report.html, charts/. A job
that was killed goes on after its last finished block when it is run again, and leaves the same bytes.
For --json, --quiet and --threads see calibrate --help.)";

/// Keeps the notes of a run for its summary: they are about outputs, which a failed run leaves not.
class NoteKeeper final : public Progress {
 public:
  explicit NoteKeeper(Progress& outer) : outer_(outer) {}
  void step(std::string_view task, int done, int total, std::string_view detail) override {
    outer_.step(task, done, total, detail);
  }
  void note(std::string_view message) override { notes_.emplace_back(message); }
  void remark(std::string_view message) override { outer_.remark(message); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Progress& outer_;
  std::vector<std::string> notes_;
};

std::string perplexity_table(const Json& texts, bool emphasis) {
  Table table({{"perplexity", Table::Align::left}, {"full precision"}, {"quantized"}, {"ratio"}});
  for (const auto& [file, value] : texts.items()) {
    const auto full_precision = value.at("full_precision").get<double>();
    const auto quantized = value.at("quantized").get<double>();
    table.add({one_line(file), perplexity_text(full_precision), perplexity_text(quantized),
               ratio_text(quantized, full_precision)});
  }
  return "\n" + table.text(emphasis);
}

// Of a metric that is a share or a correlation.
void add_figures(std::string_view name, std::string_view figure, std::int64_t examples,
                 double full_precision, double quantized, Metric metric, Table& table) {
  table.add({one_line(name), std::string(figure), fmt::format("{}", examples),
             score_text(full_precision, metric), score_text(quantized, metric),
             metric == Metric::perplexity ? ratio_text(quantized, full_precision)
                                          : points_text(quantized - full_precision)});
}

Table figure_table(const char* what, const char* change) {
  return Table({{what, Table::Align::left},
                {"figure", Table::Align::left},
                {"examples"},
                {"full precision"},
                {"quantized"},
                {change}});
}

std::string accuracy_table(const Json& texts, Metric main, bool emphasis) {
  Table table = figure_table("text", "change in points");
  for (const auto& [file, value] : texts.items()) {
    const auto examples = value.at("examples").get<std::int64_t>();
    add_figures(file, in_words(main), examples, value.at("full_precision").get<double>(),
                value.at("quantized").get<double>(), main, table);
    for (const Metric metric : {Metric::f1, Metric::matthews, Metric::spearman}) {
      const auto other = value.find(name_of(metric));
      if (other == value.end()) continue;
      add_figures("", in_words(metric), examples, other->at("full_precision").get<double>(),
                  other->at("quantized").get<double>(), metric, table);
    }
  }
  return "\n" + table.text(emphasis);
}

std::string task_table(const Json& tasks, bool emphasis) {
  Table table = figure_table("task", "change");
  for (const auto& [label, value] : tasks.items()) {
    const Json& full_precision = value.at("full_precision");
    std::string name = label;
    for (const Metric metric :
         {Metric::accuracy, Metric::normalized_accuracy, Metric::perplexity}) {
      if (!full_precision.contains(name_of(metric))) continue;
      add_figures(name, in_words(metric), full_precision.at("examples").get<std::int64_t>(),
                  full_precision.at(name_of(metric)).get<double>(),
                  value.at("quantized").at(name_of(metric)).get<double>(), metric, table);
      name.clear();
    }
  }
  return "\n" + table.text(emphasis);
}

std::string score_table(const Json& summary, bool emphasis) {
  std::string text;
  for (const Metric metric : {Metric::perplexity, Metric::accuracy, Metric::pearson}) {
    const auto texts = summary.find(name_of(metric));
    if (texts == summary.end() || texts->empty()) continue;
    text += metric == Metric::perplexity ? perplexity_table(*texts, emphasis)
                                         : accuracy_table(*texts, metric, emphasis);
  }
  const auto tasks = summary.find("tasks");
  return tasks == summary.end() ? text : text + task_table(*tasks, emphasis);
}

std::string site_table(const Json& sites, bool emphasis) {
  if (sites.empty()) return {};
  Table table(
      {{"site", Table::Align::left}, {"threshold"}, {"loss before"}, {"loss after"}, {"ratio"}});
  for (const Json& site : sites) {
    const auto before = site.at("loss_before").get<double>();
    const auto after = site.at("loss_after").get<double>();
    table.add({site.at("name").get<std::string>(), digits_text(site.at("threshold").get<double>()),
               digits_text(before), digits_text(after),
               before > 0.0 ? ratio_text(after, before) : "-"});
  }
  return "\n" + table.text(emphasis);
}

std::string seconds_text(const Json& seconds) {
  std::string parts;
  for (const auto& [phase, value] : seconds.items()) {
    if (phase == "total") continue;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", phase,
                         duration_text(value.get<double>()));
  }
  return fmt::format("{} ({})", duration_text(seconds.at("total").get<double>()), parts);
}

std::string outputs_text(const std::filesystem::path& output) {
  std::string text;
  for (const char* name : {"model", "quantized", "calibration.h5", "summary.json", "report.html"}) {
    if (std::filesystem::exists(output / name)) {
      text += fmt::format("wrote {}\n", shown_path(output / name));
    }
  }
  return text;
}

std::string fields_text(const Job& job, const Json& summary) {
  std::vector<std::pair<std::string, std::string>> fields{
      {"model", one_line(summary.at("model").get<std::string>())},
      {"architecture", summary.at("architecture").get<std::string>()},
      {"parameters", count_text(summary.at("parameters").get<std::int64_t>())},
      {"method", std::string(name_of(job.transform.method))}};
  if (const auto name = name_of(job.scheme)) fields.emplace_back("scheme", *name);
  for (auto& part : scheme_fields(summary.at("job").at("scheme")))
    fields.push_back(std::move(part));
  fields.emplace_back("time", seconds_text(summary.at("seconds")));
  fields.emplace_back("peak memory",
                      byte_size_text(summary.at("peak_memory_bytes").get<std::uint64_t>()));
  return field_list(fields);
}

std::string summary_text(const Job& job, const Json& summary, const std::vector<std::string>& notes,
                         bool emphasis) {
  std::string text = fields_text(job, summary);
  text += score_table(summary, emphasis);
  text += site_table(summary.at("sites"), emphasis);
  text += "\n" + outputs_text(job.output);
  for (const std::string& note : notes) text += fmt::format("note: {}\n", note);
  return text;
}

Outcome run(const JobArguments& arguments, const RunOptions& how, const ProgramOptions& options) {
  const Job job = load_job(arguments.file, arguments.settings);
  ProgressBar bar(stderr, options.quiet);
  NoteKeeper keeper(bar);
  ProgressLog progress(options.json ? static_cast<Progress&>(bar) : keeper, arguments.log);
  const Json summary = run_job(job, progress, how);
  if (options.json) return {document(summary), ""};
  return {summary_text(job, summary, keeper.notes(), options.emphasis), ""};
}

}  // namespace

void add_run(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("run", "Runs a job: calibrates, folds, quantizes, evaluates, writes");
  command->footer(footer);
  const auto arguments = std::make_shared<JobArguments>();
  arguments->add_to(*command);
  const auto how = std::make_shared<RunOptions>();
  command->add_flag("--restart", how->restart,
                    "Discards the finished blocks of a job that did not end, and starts over");
  command->callback([arguments, how, &action] {
    action = [arguments, how](const ProgramOptions& options) {
      return run(*arguments, *how, options);
    };
  });
}

}  // namespace evenkeel
