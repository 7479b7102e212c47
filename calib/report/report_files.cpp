#include "calib/report/report_files.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "calib/report/chart_csv.h"
#include "calib/report/drawing.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

Drawings drawings_of(const Page& page, Progress& progress) {
  try {
    if (auto drawings = draw(page.charts())) return std::move(*drawings);
    progress.note(
        "report.html has no charts, for which gnuplot is not installed (Debian: gnuplot-nox)");
  } catch (const MachineError& error) {
    progress.note(fmt::format("report.html has no charts: {}", error.what()));
  }
  return Drawings(page.charts().size());
}

}  // namespace

void stage_report(const Page& page, OutputFolder& folder, Progress& progress) {
  const Drawings drawings = drawings_of(page, progress);
  write_text(folder.stage("report.html"), page.html(drawings));
  // An attempt that was killed here may have had other charts.
  std::error_code ignored;
  std::filesystem::remove_all(folder.stage("charts"), ignored);
  const std::filesystem::path charts = folder.stage_folder("charts");
  for (std::size_t i = 0; i < page.charts().size(); ++i) {
    const Chart& chart = page.charts()[i];
    write_text(charts / (chart.name + ".csv"), csv_of(chart));
    if (!drawings[i]) continue;
    write_text(charts / (chart.name + ".svg"),
               "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + *drawings[i] + "\n");
  }
}

}  // namespace evenkeel
