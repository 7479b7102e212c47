// The job file's section `evaluate`, and tasks wherever a section names one.
#pragma once

#include <cstdint>
#include <filesystem>

#include "calib/job.h"
#include "calib/job_reader.h"

namespace evenkeel {

/// Tokens that a window, or a calibration sample, may be said to have: far beyond any use; what
/// keeps the products of sizes from overflowing.
inline constexpr std::int64_t longest_sequence = 1 << 20;

/// The kind and the files of a task, from the keys task, file and labels; a fault for what is
/// missing. Paths are against `folder`.
TaskFile read_task_file(const SectionReader& section, const std::filesystem::path& folder);

/// What `root` evaluates: nothing without that section.
EvaluationOptions read_evaluation(const SectionReader& root, const std::filesystem::path& folder);

}  // namespace evenkeel
