// The parts that the command is made of: one subcommand in a file of its own, each of which says
// what it takes and does it.
#pragma once

#include <functional>
#include <string>

#include <CLI/App.hpp>

namespace evenkeel {

/// Options that every subcommand takes.
struct ProgramOptions {
  bool json = false;      // results are exactly one JSON document
  bool quiet = false;     // no progress; notes and errors are still said
  bool emphasis = false;  // results go to a terminal that shows bold text
};

/// What a subcommand leaves to be written when all its work is done, so that no table is cut short
/// by an error.
struct Outcome {
  std::string results;    // for stdout; ends with a newline unless empty
  std::string complaint;  // why results that are complete are no success: exit status 1
};

/// A subcommand with its arguments.
using Action = std::function<Outcome(const ProgramOptions&)>;

/// Each registers one subcommand; parsing a command line that has it sets `action`.
void add_run(CLI::App& program, Action& action);
void add_compare(CLI::App& program, Action& action);
void add_scaling(CLI::App& program, Action& action);
void add_evaluate(CLI::App& program, Action& action);
void add_inspect(CLI::App& program, Action& action);
void add_analyze(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_verify(CLI::App& program, Action& action);
void add_tokenize(CLI::App& program, Action& action);

}  // namespace evenkeel
