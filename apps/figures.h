// How figures (calib/report/figure_text.h), paths and documents are written for people and for
// programs.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "calib/report/figure_text.h"

namespace evenkeel {

/// The path from the current folder when it lies inside, else the absolute one.
std::string shown_path(const std::filesystem::path& path);

/// One document, indented, with a newline at its end. Bytes that are not UTF-8 (of file names)
/// become U+FFFD; NaN and infinity become null.
std::string document(const nlohmann::ordered_json& json);

}  // namespace evenkeel
