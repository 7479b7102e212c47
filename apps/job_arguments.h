// What names a job on the command line.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace evenkeel {

struct JobArguments {
  std::string file;
  std::vector<std::string> settings;  // "key.path=value"
  std::string log;                    // empty: none

  /// Adds JOB, --set and --log to `command`, which fill this object while parsing.
  void add_to(CLI::App& command);
  /// Adds --set and --log alone, which are refused without the option `needed`.
  void add_options_to(CLI::App& command, CLI::Option* needed = nullptr);
};

}  // namespace evenkeel
