// A whole job on a tiny OPT: the checkpoint, the token ids and the job file in a scratch folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calib/job.h"
#include "support/scratch_folder.h"
#include "support/tiny_opt.h"

namespace evenkeel::support {

/// FOLDER/model, calibration.safetensors (8 windows of 16 tokens), evaluation.safetensors (4 of
/// 16) and job.yaml: OS+ at w8a8, 6 samples in batches of 2, of which the search sees 2; the
/// output is FOLDER/out.
class TinyJob {
 public:
  explicit TinyJob(const TinyOpt& options = {});

  std::filesystem::path operator/(const std::filesystem::path& name) const {
    return folder_ / name;
  }
  std::filesystem::path output() const { return folder_ / "out"; }
  std::filesystem::path file() const { return folder_ / "job.yaml"; }

  /// The job with settings as of `--set`.
  Job job(const std::vector<std::string>& settings = {}) const {
    return load_job(file(), settings);
  }

 private:
  ScratchFolder folder_;
};

/// Every file below a folder by its relative path, symbolic links not followed.
using FileBytes = std::vector<std::pair<std::string, std::string>>;
FileBytes files_below(const std::filesystem::path& folder);
/// The same of a run's outputs, less what no two runs share: seconds and peak memory, which
/// summary.json, the report and one of its charts hold.
FileBytes outputs_below(const std::filesystem::path& output);

}  // namespace evenkeel::support
