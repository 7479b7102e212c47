#include "calib/report/report.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "calib/analysis/analysis_report.h"
#include "calib/report/report_files.h"
#include "calib/report/run_report.h"
#include "calib/scaling/scaling_json.h"
#include "calib/scaling/scaling_report.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

Page page_of_run(const std::filesystem::path& folder) {
  return run_report(read_run_results(folder));
}

Page page_of_scaling(const std::filesystem::path& folder) {
  const KeptScaling kept = read_scaling(folder / "scaling.json");
  return scaling_report(kept.result, kept.job_file);
}

// By the file that says which command left the folder.
struct Kind {
  std::string_view file;
  Page (*page)(const std::filesystem::path& folder);
};
constexpr std::array kinds{
    Kind{"summary.json", page_of_run},
    Kind{"scaling.json", page_of_scaling},
    Kind{"analysis.json", analysis_page},
};

bool has(const std::filesystem::path& folder, std::string_view file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / file, ignored);
}

const Kind* kind_of(const std::filesystem::path& folder) {
  const auto kind =
      std::ranges::find_if(kinds, [&](const Kind& each) { return has(folder, each.file); });
  return kind == kinds.end() ? nullptr : &*kind;
}

}  // namespace

void stage_run_report(OutputFolder& folder, Progress& progress) {
  Page page("Report");
  try {
    const Kind* kind = kind_of(folder.staging());
    if (kind != nullptr) page = kind->page(folder.staging());
  } catch (const InputError& error) {
    page.lead(fmt::format("No report could be made of this run: {}", error.what()));
    progress.note(fmt::format("report.html is empty: {}", error.what()));
  }
  stage_report(page, folder, progress);
}

void write_report(const std::filesystem::path& output, Progress& progress) {
  const Kind* kind = kind_of(output);
  if (kind == nullptr) {
    std::string files;
    for (const Kind& each : kinds)
      files += fmt::format("{}{}", files.empty() ? "" : ", ", each.file);
    throw InputError(
        fmt::format("{}: nothing to report on: there is none of {}; give the output folder of a "
                    "job that has ended",
                    output.string(), files));
  }
  const Page page = kind->page(output);
  OutputFolder folder(output);
  stage_report(page, folder, progress);
  folder.commit();
}

}  // namespace evenkeel
