#include "calib/report/gnuplot.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// An anonymous file with that text, or an empty one.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text = "") : file_(std::tmpfile()) {
    if (file_ == nullptr || std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
        std::fflush(file_.get()) != 0) {
      throw MachineError(
          fmt::format("a temporary file for a chart cannot be written: {}", std::strerror(errno)));
    }
    std::rewind(file_.get());
  }
  int descriptor() const { return fileno(file_.get()); }
  std::string text() const {
    std::rewind(file_.get());
    std::string all;
    std::array<char, 65536> piece{};
    while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), file_.get())) {
      all.append(piece.data(), got);
    }
    return all;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace

GnuplotRun run_gnuplot(const std::string& script) {
  const ScratchFile input(script);
  const ScratchFile output;
  const ScratchFile errors;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  std::string program = "gnuplot";
  std::string plainly = "-d";
  std::array<char*, 3> arguments{program.data(), plainly.data(), nullptr};
  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return {};
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool found = !WIFEXITED(status) || WEXITSTATUS(status) != 127;
  return {found, WIFEXITED(status) && WEXITSTATUS(status) == 0, output.text(), errors.text()};
}

}  // namespace evenkeel
