// The job: everything in the order in which it happens, from a validated Job to its outputs.
#pragma once

#include <nlohmann/json.hpp>

#include "calib/job.h"
#include "calib/progress.h"

namespace evenkeel {

/// Runs a job and writes OUTPUT/model, OUTPUT/quantized, OUTPUT/calibration.h5 and
/// OUTPUT/summary.json; returns what summary.json holds. The outputs appear when all are complete.
/// Throws: InputError, UsageError, MachineError (io/errors.h); existing outputs are then untouched.
nlohmann::ordered_json run_job(const Job& job, Progress& progress);

}  // namespace evenkeel
