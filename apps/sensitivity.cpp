#include "apps/sensitivity.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/figures.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/progress_log.h"
#include "calib/sensitivity.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

std::vector<Table::Column> columns_of(const SensitivityResult& result, PartKind kind) {
  std::vector<Table::Column> columns{{std::string(name_of(kind)), Table::Align::left}};
  for (const char* models : {"alone", "without"}) {
    for (const TextScore& text : result.full_precision.scores) {
      columns.push_back({fmt::format("{}: {}", models, one_line(text.label))});
    }
    columns.push_back({"output error"});
  }
  columns.push_back({"recovered"});
  return columns;
}

void add_distance(const Distance& distance, std::vector<std::string>& cells) {
  for (const TextScore& score : distance.scores) {
    cells.push_back(score_text(score.value, score.metric));
  }
  cells.push_back(digits_text(distance.output_error));
}

std::string table_of(const SensitivityResult& result, PartKind kind, bool emphasis) {
  Table table(columns_of(result, kind));
  for (const PartSensitivity& part : result.parts) {
    if (part.part.kind != kind) continue;
    std::vector<std::string> cells{one_line(part.part.name)};
    add_distance(part.alone, cells);
    add_distance(part.without, cells);
    cells.push_back(fmt::format("{:.0f} %", 100.0 * part.recovered));
    table.add(std::move(cells));
  }
  return table.empty() ? "" : "\n" + table.text(emphasis);
}

std::string sensitivity_text(const SensitivityResult& result, bool emphasis) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (std::size_t i = 0; i < result.quantized.scores.size(); ++i) {
    const Metric metric = result.quantized.scores[i].metric;
    fields.emplace_back(one_line(result.quantized.scores[i].label),
                        fmt::format("{} {} in full precision, {} quantized", name_of(metric),
                                    score_text(result.full_precision.scores[i].value, metric),
                                    score_text(result.quantized.scores[i].value, metric)));
  }
  fields.emplace_back("output error",
                      fmt::format("{} quantized", digits_text(result.quantized.output_error)));
  std::string text = field_list(fields);
  for (const PartKind kind : {PartKind::node, PartKind::linear, PartKind::site, PartKind::block}) {
    text += table_of(result, kind, emphasis);
  }
  return text +
         "\nalone: only this is quantized; without: all but this is. output error: squared error "
         "of what leaves the last block, relative to its squares.\nrecovered: of what the scheme "
         "loses on the first text, the part that comes back without this. A site is its input node "
         "and "
         "the linears that read it; scheme.keep takes the names of the others.\n";
}

}  // namespace

Outcome show_sensitivity(const JobArguments& arguments, const ProgramOptions& options) {
  const Job job = load_job(arguments.file, arguments.settings);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.log);
  const SensitivityResult result = measure_sensitivity(job, progress);
  if (options.json) return {document(to_json(result)), ""};
  return {fmt::format("{}wrote {}\n", sensitivity_text(result, options.emphasis),
                      shown_path(job.output / "sensitivity.json")),
          ""};
}

}  // namespace evenkeel
