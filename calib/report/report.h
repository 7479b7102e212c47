// Reports of whatever an output folder holds.
#pragma once

#include <filesystem>

#include "calib/output_folder.h"
#include "calib/progress.h"

namespace evenkeel {

/// Stages report.html and charts/ (report_files.h) of a job whose other outputs are staged already.
/// What the report cannot be made of is told there and by a note: a job does not fail for it at its
/// end. Throws: MachineError when a file cannot be written.
void stage_run_report(OutputFolder& folder, Progress& progress);

/// Writes OUTPUT/report.html and OUTPUT/charts anew, from what a job left there.
/// Throws: InputError when there is nothing that a report can be made of, or it is damaged;
/// MachineError.
void write_report(const std::filesystem::path& output, Progress& progress);

}  // namespace evenkeel
