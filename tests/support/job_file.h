// Job files for tests: written to a scratch folder, their faults as lines without its path.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "calib/job.h"
#include "io/errors.h"
#include "support/scratch_folder.h"

namespace evenkeel::support {

/// What every job needs; tests add to it. Five lines.
inline const std::string least_job =
    "model: m\n"
    "output: out\n"
    "calibration:\n"
    "  corpus: text.txt\n"
    "  samples: 16\n";

class JobFile {
 public:
  explicit JobFile(std::string_view text) { std::ofstream(path(), std::ios::binary) << text; }

  std::filesystem::path path() const { return folder_ / "job.yaml"; }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  using Settings = std::vector<std::string>;
  Job job(const Settings& settings = {}) const { return load_job(path(), settings); }
  Comparison comparison(const Settings& settings = {}) const {
    return load_comparison(path(), settings);
  }

  Comparison analysis(const Settings& settings = {}) const {
    return load_analysis(path(), settings);
  }

  /// One line for each fault, the file's path as "job.yaml"; empty when there is none.
  using Lines = std::vector<std::string>;
  Lines faults(const Settings& settings = {}) const {
    return lines_of([&] { return job(settings); });
  }
  Lines comparison_faults(const Settings& settings = {}) const {
    return lines_of([&] { return comparison(settings); });
  }
  Lines analysis_faults(const Settings& settings = {}) const {
    return lines_of([&] { return analysis(settings); });
  }

 private:
  template <typename Load>
  Lines lines_of(const Load& load) const {
    try {
      load();
      return {};
    } catch (const UsageError& error) {
      Lines lines;
      std::istringstream message(error.what());
      const std::string prefix = folder_.path().string() + "/";
      for (std::string line; std::getline(message, line);) {
        while (line.find(prefix) != std::string::npos) line.erase(line.find(prefix), prefix.size());
        lines.push_back(std::move(line));
      }
      return lines;
    }
  }

  ScratchFolder folder_;
};

}  // namespace evenkeel::support
