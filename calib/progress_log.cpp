#include "calib/progress_log.h"

#include <string>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {

namespace {

constexpr std::size_t longest_note = 1000;

}  // namespace

struct ProgressLog::File {
  explicit File(const std::filesystem::path& path)
      : logger("", std::make_shared<spdlog::sinks::basic_file_sink_st>(path.string())) {
    logger.set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
    logger.flush_on(spdlog::level::info);
  }
  spdlog::logger logger;
};

ProgressLog::ProgressLog(Progress& shown, const std::filesystem::path& file) : shown_(shown) {
  if (file.empty()) return;
  try {
    file_ = std::make_unique<File>(file);
  } catch (const spdlog::spdlog_ex& error) {
    throw MachineError(fmt::format("{}: the log cannot be opened: {}; give it another place",
                                   file.string(), one_line(error.what())));
  }
}

ProgressLog::~ProgressLog() = default;

void ProgressLog::step(std::string_view task, int done, int total, std::string_view detail) {
  shown_.step(task, done, total, detail);
  if (file_) file_->logger.info("{} {}/{}: {}", one_line(task), done, total, one_line(detail));
}

void ProgressLog::note(std::string_view message) {
  shown_.note(message);
  if (file_) file_->logger.info("note: {}", one_line(message, longest_note));
}

void ProgressLog::remark(std::string_view message) {
  shown_.remark(message);
  if (file_) file_->logger.info("note: {}", one_line(message, longest_note));
}

}  // namespace evenkeel
