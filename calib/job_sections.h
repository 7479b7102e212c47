// From the tree of a job to the Job: what each section may say, and what contradicts what.
#pragma once

#include <filesystem>
#include <vector>

#include "calib/job.h"
#include "calib/job_reader.h"
#include "calib/yaml_tree.h"

namespace evenkeel {

struct JobReading {
  Job job;  // as far as it could be read
  std::vector<Fault> faults;
};

/// Who can do without a calibration section.
enum class CalibrationNeed {
  always,
  where_used,  // a job whose figures do not depend on it
};

/// Reads one job; a `compare` section is left out. `file` is the job file, against whose folder
/// paths resolve.
JobReading read_job(const YamlValue& tree, const std::filesystem::path& file,
                    CalibrationNeed need = CalibrationNeed::always);

}  // namespace evenkeel
