// Paths in a job file, which are against its folder.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "calib/job_reader.h"

namespace evenkeel {

/// Sets `path` to that key's, against `folder` and without "." and ".."; a fault when it is no
/// path.
void read_path(const SectionReader& section, std::string_view key,
               const std::filesystem::path& folder, std::filesystem::path& path);

/// The same of a list of paths; empty when the key is absent.
std::vector<std::filesystem::path> read_paths(const SectionReader& section, std::string_view key,
                                              const std::filesystem::path& folder);

}  // namespace evenkeel
