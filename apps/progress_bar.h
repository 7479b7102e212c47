// Progress on stderr: a bar with the time left on a terminal, now and then a line otherwise.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "calib/progress.h"

namespace evenkeel {

/// Not thread-safe, as Progress. What can't be written is dropped: work goes on without a reader.
class ProgressBar final : public Progress {
 public:
  /// `quiet` leaves out the steps, not the notes. The stream must outlive the bar.
  ProgressBar(std::FILE* stream, bool quiet);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Ends a bar that is being drawn, so that what follows starts on a line of its own.
  ~ProgressBar() override;

  /// The first and the last step of a task are always shown, others when it is time.
  void step(std::string_view task, int done, int total, std::string_view detail) override;
  void note(std::string_view message) override;

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(int done, int total, std::string_view detail) const;
  std::string bar(int done, int total) const;
  double seconds_since_start() const;
  void show(std::string text, bool last);
  void end_bar();
  void write(std::string_view text);

  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool drawing_ = false;  // a bar stands on the cursor's line
  std::string task_;
  Clock::time_point start_;  // of the task
  Clock::time_point shown_;  // the last line
};

}  // namespace evenkeel
