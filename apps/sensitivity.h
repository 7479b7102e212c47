// calibrate inspect JOB.yaml --sensitivity.
#pragma once

#include "apps/command.h"
#include "apps/job_arguments.h"

namespace evenkeel {

Outcome show_sensitivity(const JobArguments& arguments, const ProgramOptions& options);

}  // namespace evenkeel
