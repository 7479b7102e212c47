#include "calib/report/chart.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// Told apart by people who see few colours (Okabe & Ito), and by their marks.
constexpr std::array colours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                             "#E69F00", "#56B4E9", "#777777", "#000000"};

// What stands between double quotes of a script: no escape and no second line.
// gnuplot itself escapes what would be markup.
std::string quoted(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '"') {
      safe += '\'';
    } else if (static_cast<unsigned char>(c) >= 0x20 && c != '\\' && c != '`') {
      safe += c;
    }
  }
  return "\"" + safe + "\"";
}

bool can_stand(const Chart& chart, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!chart.log_x || x > 0.0);
}

bool has_points(const Chart& chart) {
  return std::ranges::any_of(chart.curves, [&](const Curve& curve) {
    return std::ranges::any_of(curve.points, [&](const auto& point) {
      return can_stand(chart, point.first, point.second);
    });
  });
}

std::string data_of(const Chart& chart) {
  std::string data;
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    data += fmt::format("$curve{} << END\n", i);
    for (const auto& [x, y] : chart.curves[i].points) {
      if (can_stand(chart, x, y)) {
        data += fmt::format("{} {}\n", x, y);
      }
    }
    data += "END\n";
  }
  return data;
}

// Where gnuplot itself would label powers of ten alone.
std::vector<double> round_numbers(double low, double high) {
  std::vector<double> numbers;
  for (double power = std::pow(10.0, std::floor(std::log10(low))); power <= high; power *= 10.0) {
    for (const double digit : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0}) {
      const double number = digit * power;
      const bool crowded = high > 100.0 * low && digit != 1.0;
      if (number >= low && number <= high && !crowded) numbers.push_back(number);
    }
  }
  return numbers;
}

// A little beyond the points, where gnuplot would go on to the next power of ten.
std::string range_of(const Chart& chart) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const Curve& curve : chart.curves) {
    for (const auto& [x, y] : curve.points) {
      if (!std::isfinite(x) || x <= 0.0) continue;
      low = std::min(low, x);
      high = std::max(high, x);
    }
  }
  if (high == 0.0) return "";
  return fmt::format("set xrange [{}:{}]\nset xtics ({})\n", low / 1.1, high * 1.1,
                     fmt::join(round_numbers(low / 1.1, high * 1.1), ", "));
}

std::string script_of(const Chart& chart, const std::string& name) {
  std::string script = fmt::format(
      "set terminal svg size 760,460 dynamic noenhanced font \"sans-serif,13\" name \"{}\"\n"
      "set key outside right top\nset grid linecolor \"#cccccc\"\n"
      "set border 3\nset tics nomirror\nset title {}\nset xlabel {}\nset ylabel {}\n",
      name, quoted(chart.title), quoted(chart.x_name), quoted(chart.y_name));
  if (chart.log_x) script += "set logscale x\n" + range_of(chart);
  script += data_of(chart);
  std::string plots;
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    const std::string style =
        curve.rings
            ? std::string("with points pointtype 6 pointsize 1.6 linecolor \"#000000\"")
            : fmt::format("with {} pointtype {} pointsize 0.6 linewidth 1.5 linecolor \"{}\"",
                          curve.line ? "linespoints" : "points", 2 * (i % 6) + 5,
                          colours[i % colours.size()]);
    plots += fmt::format("{}$curve{} using 1:2 {} title {}", plots.empty() ? "" : ", ", i, style,
                         quoted(curve.name));
  }
  return script + "plot " + plots + "\n";
}

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

// The first one that says something.
std::string first_line(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of("\n "), text.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

struct Ran {
  bool started = false;
  bool succeeded = false;
  std::string output;
  std::string errors;
};

// gnuplot's standard input is the script; it reads no start-up file.
Ran run_gnuplot(const std::string& script) {
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

}  // namespace

bool can_draw() { return run_gnuplot("").started; }

std::optional<std::string> draw(const Chart& chart, const std::string& name) {
  if (!has_points(chart)) return std::nullopt;
  const Ran ran = run_gnuplot(script_of(chart, name));
  if (!ran.started) return std::nullopt;
  const std::size_t begin = ran.output.find("<svg");
  if (!ran.succeeded || begin == std::string::npos) {
    throw MachineError(fmt::format("gnuplot could not draw the chart '{}': {}", chart.title,
                                   first_line(ran.errors)));
  }
  return ran.output.substr(begin);
}

}  // namespace evenkeel
