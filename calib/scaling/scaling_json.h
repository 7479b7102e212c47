// scaling.json: what a scaling job found, written and read.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "calib/job.h"
#include "calib/scaling/scaling.h"

namespace evenkeel {

/// {"job": FILE, "metric", "models": {NAME: ...}, "rows": [...]}.
nlohmann::ordered_json to_json(const ScalingResult& result, const Job& job);

struct KeptScaling {
  ScalingResult result;  // of scores label and value alone
  std::string job_file;
};
/// Throws: InputError with the file and what is missing.
KeptScaling read_scaling(const std::filesystem::path& file);

}  // namespace evenkeel
