// A log of long work: every step and note with its time, for a job that nobody watches.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "calib/progress.h"

namespace evenkeel {

/// Passes everything on to `shown` and, where `file` is not empty, appends it there as lines
/// "2026-01-31 12:00:00.000 calibrate 3/24: block 3", written at once so that a killed job's log is
/// whole. `shown` must outlive it. Not thread-safe, as Progress.
class ProgressLog final : public Progress {
 public:
  /// Throws: MachineError when the file cannot be opened.
  ProgressLog(Progress& shown, const std::filesystem::path& file);
  ProgressLog(const ProgressLog&) = delete;
  ProgressLog& operator=(const ProgressLog&) = delete;
  ~ProgressLog() override;

  void step(std::string_view task, int done, int total, std::string_view detail) override;
  void note(std::string_view message) override;
  void remark(std::string_view message) override;

 private:
  struct File;
  Progress& shown_;
  std::unique_ptr<File> file_;
};

}  // namespace evenkeel
