#include "apps/progress_bar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "apps/figures.h"
#include "apps/terminal.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

// Often enough to be seen to move on a terminal; rarely enough for a log.
constexpr std::chrono::milliseconds between_bars{100};
constexpr std::chrono::seconds between_lines{5};
constexpr int bar_cells = 24;

}  // namespace

ProgressBar::ProgressBar(std::FILE* stream, bool quiet)
    : stream_(stream), quiet_(quiet), terminal_(moves_cursor(stream)) {}

ProgressBar::~ProgressBar() { end_bar(); }

void ProgressBar::step(std::string_view task, int done, int total, std::string_view detail) {
  if (quiet_ || total <= 0) return;
  const auto now = Clock::now();
  const bool first = task != task_ || done == 0;
  const bool last = done >= total;
  if (first) {
    end_bar();
    task_ = task;
    start_ = now;
  }
  const bool due = terminal_ ? now - shown_ >= between_bars : now - shown_ >= between_lines;
  if (!first && !last && !due) return;
  shown_ = now;
  show(line(std::clamp(done, 0, total), total, detail), last);
  if (last) task_.clear();
}

std::string ProgressBar::line(int done, int total, std::string_view detail) const {
  std::string text = one_line(task_) + bar(done, total) + fmt::format(" {}/{}", done, total);
  const double elapsed = seconds_since_start();
  if (done == total) return text + fmt::format(": {}", duration_text(elapsed));
  if (!detail.empty()) text += ": " + one_line(detail);
  if (done == 0) return text;
  return text + fmt::format(", about {} left", duration_text(elapsed / done * (total - done)));
}

std::string ProgressBar::bar(int done, int total) const {
  if (!terminal_) return {};
  const auto filled = static_cast<std::size_t>(std::int64_t{bar_cells} * done / total);
  return fmt::format(" [{:.<{}}]", std::string(filled, '#'), bar_cells);
}

double ProgressBar::seconds_since_start() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressBar::show(std::string text, bool last) {
  if (!terminal_) return write(text + "\n");
  // A line that wraps could not be drawn over.
  const auto room = static_cast<std::size_t>(std::max(terminal_columns(stream_) - 1, 1));
  text.resize(std::min(text.size(), room));
  write("\r\x1b[K" + text);
  drawing_ = true;
  if (last) end_bar();
}

void ProgressBar::note(std::string_view message) {
  end_bar();
  write(fmt::format("note: {}\n", message));
}

void ProgressBar::end_bar() {
  if (drawing_) write("\n");
  drawing_ = false;
}

void ProgressBar::write(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stream_));
  static_cast<void>(std::fflush(stream_));
}

}  // namespace evenkeel
