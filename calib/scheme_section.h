// The job file's section `scheme`.
#pragma once

#include <vector>

#include "calib/job_reader.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// The scheme that `root` names or spells out; what is not said is w8a8's. Faults go to `faults`,
/// those of root's sections alike.
Scheme read_scheme(const SectionReader& root, std::vector<Fault>& faults);

}  // namespace evenkeel
