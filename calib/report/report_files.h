// A report in a job's output folder: the page, and its charts as files for papers.
#pragma once

#include "calib/output_folder.h"
#include "calib/progress.h"
#include "calib/report/page.h"

namespace evenkeel {

/// Stages report.html, and charts/NAME.svg and charts/NAME.csv for each chart of the page. All
/// charts are drawn by one process. Where gnuplot is missing, or fails, the report has tables alone
/// and charts/ the CSV files, and a note says so: no job fails at its end for a picture.
/// Throws: MachineError when a file cannot be written.
void stage_report(const Page& page, OutputFolder& folder, Progress& progress);

}  // namespace evenkeel
