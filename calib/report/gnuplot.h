// The program gnuplot as a process of its own.
#pragma once

#include <string>

namespace evenkeel {

struct GnuplotRun {
  bool started = false;  // else there is no such program
  bool succeeded = false;
  std::string output;
  std::string errors;
};

/// Runs a script to its end. No start-up file is read.
/// Throws: MachineError when its input cannot be kept anywhere.
GnuplotRun run_gnuplot(const std::string& script);

}  // namespace evenkeel
