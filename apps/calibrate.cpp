// The command: reads the command line, runs one subcommand, writes what it gives.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <tbb/global_control.h>

#include "apps/command.h"
#include "apps/terminal.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr int done = 0;
constexpr int failed = 1;
constexpr int wrong_usage = 2;
constexpr int most_threads = 1024;

constexpr const char* footer = R"(Examples:
  calibrate run configs/quickstart/calibrate.yaml
  calibrate run job.yaml --set transform.method=smoothquant --set output=out/smoothquant
  calibrate compare configs/quickstart/compare.yaml
  calibrate evaluate out/my-model/quantized --text evaluation.txt --windows 32
  calibrate inspect out/my-model/calibration.h5
  calibrate analyze configs/quickstart/compare.yaml
Each command has examples of its own: calibrate COMMAND --help.

Results go to stdout, progress and errors to stderr.
Exit status: 0 done, 2 the command line or the job is wrong, 3 the input data is wrong,
1 anything else.)";

/// Writes each line of `message` after the program's name.
void complain(std::string_view message) {
  const std::string name = red("calibrate:", shows_styles(stderr));
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(message.size(), line.size() + 1));
    const std::string text = fmt::format("{} {}\n", name, line);
    // Where stderr is closed too, nothing can be said.
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  }
}

/// Exit status of writing `results`: a reader that has gone away wants to hear nothing more.
int write_results(std::string_view results) {
  errno = 0;
  const bool whole = std::fwrite(results.data(), 1, results.size(), stdout) == results.size();
  if (std::fflush(stdout) == 0 && whole) return done;
  if (errno != EPIPE) {
    complain(fmt::format("stdout: the results could not be written: {}; give it another place",
                         std::strerror(errno)));
  }
  return failed;
}

/// The subcommand that the command line names, if it got that far.
const CLI::App* chosen(const CLI::App& program) {
  const auto subcommands = program.get_subcommands();
  return subcommands.empty() ? nullptr : subcommands.front();
}

std::string usage_message(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* command = chosen(program);
  std::string message = error.what();
  if (command == nullptr) {
    const auto unknown = program.remaining();
    message = unknown.empty() ? "no command is given" : "unknown command or option " + unknown[0];
  }
  std::ranges::replace(message, '\n', ' ');
  return fmt::format("{}; see 'calibrate {}--help'", message,
                     command == nullptr ? "" : command->get_name() + " ");
}

/// Reads a command line into `options` and `action`. Returns the exit status when all is said
/// already (help, version, a wrong command line).
std::optional<int> parse(CLI::App& program, int count, char** arguments) {
  try {
    program.parse(count, arguments);
  } catch (const CLI::CallForVersion& version) {
    return write_results(std::string(version.what()) + "\n");
  } catch (const CLI::Success&) {
    return write_results(program.help());
  } catch (const CLI::ParseError& error) {
    complain(usage_message(program, error));
    return wrong_usage;
  }
  return std::nullopt;
}

int run_program(int count, char** arguments) {
  ProgramOptions options;
  options.emphasis = shows_styles(stdout);
  int threads = 0;
  Action action;

  CLI::App program("Calibrates transformer checkpoints for low-bit quantization.", "calibrate");
  program.fallthrough();
  program.require_subcommand(1);
  program.set_version_flag("--version", "calibrate " EVENKEEL_VERSION);
  program.add_flag("--json", options.json, "Print results as one JSON document");
  program.add_flag("--quiet", options.quiet, "No progress on stderr");
  program.add_option("--threads", threads, "At most this many threads; all processors by default")
      ->type_name("N")
      ->check(CLI::Range(1, most_threads));
  program.footer(footer);
  add_run(program, action);
  add_compare(program, action);
  add_scaling(program, action);
  add_evaluate(program, action);
  add_inspect(program, action);
  add_analyze(program, action);
  add_report(program, action);
  add_verify(program, action);
  add_tokenize(program, action);
  if (const auto status = parse(program, count, arguments)) return *status;

  std::optional<tbb::global_control> limit;
  if (threads > 0) {
    limit.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  }
  const Outcome outcome = action(options);
  if (const int status = write_results(outcome.results); status != done) return status;
  if (outcome.complaint.empty()) return done;
  complain(outcome.complaint);
  return failed;
}

// By default glibc keeps freed matrices of up to 32 MB for reuse, and what lies between them in use
// keeps them apart, so that memory grows with the number of blocks. Larger ones than this go back
// to the system when they are freed; smaller ones stay, as giving them back and forth takes long.
void return_large_memory() {
#ifdef __GLIBC__
  constexpr int large = 4 << 20;
  constexpr int kept = 64 << 20;
  static_cast<void>(mallopt(M_MMAP_THRESHOLD, large));
  static_cast<void>(mallopt(M_TRIM_THRESHOLD, kept));
#endif
}

int guarded(int count, char** arguments) {
  try {
    return run_program(count, arguments);
  } catch (const Error& error) {
    complain(error.what());
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    complain("out of memory; lower memory_limit, sequence_length or transform.search_samples");
  } catch (const std::system_error& refused) {  // of the machine: files, threads
    complain(refused.what());
  } catch (const std::exception& error) {
    complain(fmt::format("internal error: {}", error.what()));
  }
  return failed;
}

}  // namespace
}  // namespace evenkeel

int main(int count, char** arguments) {
  // A closed pipe or a file size limit then is a failed write like any other, which is reported
  // with its path and leaves no half-written output.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  evenkeel::return_large_memory();
  return evenkeel::guarded(count, arguments);
}
