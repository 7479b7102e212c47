// What can go wrong, by whose fault. Every exception that leaves the library is one of these;
// its message is one line that says what, where and what to do. A library never exits.
#pragma once

#include <stdexcept>
#include <string>

namespace evenkeel {

/// Base of all errors. `exit_status` is what the command returns for it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, int exit_status = 1)
      : std::runtime_error(message), exit_status_(exit_status) {}
  int exit_status() const noexcept { return exit_status_; }

 private:
  int exit_status_;
};

/// The command line or the job file is wrong (exit status 2).
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, 2) {}
};

/// The input data is wrong: a checkpoint, a tokenizer, a corpus (exit status 3).
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(message, 3) {}
};

/// The machine refused: no disk space, no permission, a failed self-check (exit status 1).
class MachineError : public Error {
 public:
  explicit MachineError(const std::string& message) : Error(message, 1) {}
};

}  // namespace evenkeel
