// The job: everything in the order in which it happens, from a validated Job to its outputs.
#pragma once

#include <nlohmann/json.hpp>

#include "calib/job.h"
#include "calib/progress.h"

namespace evenkeel {

struct RunOptions {
  /// Discards what an earlier attempt at a job left in the output folder, of whatever job it was.
  bool restart = false;
};

/// Runs a job and writes OUTPUT/model, OUTPUT/quantized, OUTPUT/calibration.h5,
/// OUTPUT/summary.json, OUTPUT/report.html and OUTPUT/charts; returns what summary.json holds. The
/// outputs appear when all are complete. A job that was killed, or that the machine stopped, is
/// continued after its last finished block and leaves the same bytes as one that was not, seconds
/// and peak memory in summary.json, the report and its chart of seconds aside. Throws: InputError,
/// UsageError, MachineError (io/errors.h); existing outputs are then untouched. UsageError and
/// InputError also when what is to be continued is of another job, model or text.
nlohmann::ordered_json run_job(const Job& job, Progress& progress, const RunOptions& options = {});

}  // namespace evenkeel
