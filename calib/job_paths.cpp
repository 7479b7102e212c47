#include "calib/job_paths.h"

#include <optional>
#include <string>
#include <utility>

namespace evenkeel {

namespace fs = std::filesystem;

namespace {

std::optional<fs::path> path_of(const SectionReader& section, std::string_view key,
                                const std::string& text, const fs::path& folder) {
  if (text.find('\0') != std::string::npos) {
    section.wrong(key, "a path cannot hold a NUL character");
    return std::nullopt;
  }
  fs::path path = (folder / text).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

void read_path(const SectionReader& section, std::string_view key, const fs::path& folder,
               fs::path& path) {
  if (const auto text = section.text(key)) take(path, path_of(section, key, *text, folder));
}

std::vector<fs::path> read_paths(const SectionReader& section, std::string_view key,
                                 const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& text : section.texts(key).value_or(std::vector<std::string>{})) {
    if (auto path = path_of(section, key, text, folder)) paths.push_back(std::move(*path));
  }
  return paths;
}

}  // namespace evenkeel
