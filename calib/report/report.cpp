#include "calib/report/report.h"

#include <array>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/analysis/analysis_report.h"
#include "calib/compare/comparison_report.h"
#include "calib/report/report_files.h"
#include "calib/report/run_report.h"
#include "calib/report/sensitivity_report.h"
#include "calib/scaling/scaling_json.h"
#include "calib/scaling/scaling_report.h"
#include "io/errors.h"
#include "io/json_reader.h"

namespace evenkeel {
namespace {

Page page_of_run(const std::filesystem::path& folder) {
  return run_report(read_run_results(folder));
}

Page page_of_scaling(const std::filesystem::path& folder) {
  const KeptScaling kept = read_scaling(folder / "scaling.json");
  return scaling_report(kept.result, kept.job_file);
}

Page page_of_comparison(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "compare.json";
  try {
    return comparison_page(comparison_from(JsonReader(file).document()));
  } catch (const nlohmann::ordered_json::exception& error) {
    throw InputError(fmt::format("{}: not as calibrate compare writes it ({}); run it again",
                                 file.string(), error.what()));
  }
}

Page page_of_sensitivity(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "sensitivity.json";
  try {
    return sensitivity_page(JsonReader(file).document());
  } catch (const nlohmann::ordered_json::exception& error) {
    throw InputError(
        fmt::format("{}: not as calibrate inspect --sensitivity writes it ({}); run it again",
                    file.string(), error.what()));
  }
}

// By the file that says which command left the folder.
struct Kind {
  std::string_view file;
  Page (*page)(const std::filesystem::path& folder);
};
constexpr std::array kinds{
    Kind{"summary.json", page_of_run},
    Kind{"compare.json", page_of_comparison},
    Kind{"scaling.json", page_of_scaling},
    Kind{"analysis.json", analysis_page},
    Kind{"sensitivity.json", page_of_sensitivity},
};

bool has(const std::filesystem::path& folder, std::string_view file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / file, ignored);
}

void add(Page page, std::optional<Page>& all) {
  if (all) {
    all->append(page);
  } else {
    all = std::move(page);
  }
}

}  // namespace

void stage_reports(OutputFolder& folder, Progress& progress) {
  std::optional<Page> all;
  for (const Kind& kind : kinds) {
    const bool is_staged = has(folder.staging(), kind.file);
    if (!is_staged && !has(folder.path(), kind.file)) continue;
    try {
      add(kind.page(is_staged ? folder.staging() : folder.path()), all);
    } catch (const InputError& error) {
      progress.note(fmt::format("report.html leaves out {}: {}", kind.file, error.what()));
    }
  }
  if (!all) {
    all.emplace("Report");
    all->lead("No report could be made of what is here.");
  }
  stage_report(*all, folder, progress);
}

void write_report(const std::filesystem::path& output, Progress& progress) {
  std::optional<Page> all;
  std::vector<std::string_view> files;
  for (const Kind& kind : kinds) {
    files.push_back(kind.file);
    if (has(output, kind.file)) add(kind.page(output), all);
  }
  if (!all) {
    throw InputError(
        fmt::format("{}: nothing to report on: there is none of {}; give the output folder of a "
                    "job that has ended",
                    output.string(), fmt::join(files, ", ")));
  }
  OutputFolder folder(output);
  stage_report(*all, folder, progress);
  folder.commit();
}

}  // namespace evenkeel
