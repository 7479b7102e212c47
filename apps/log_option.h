// --log: where a command whose work is long keeps a log of it.
#pragma once

#include <string>

#include <CLI/App.hpp>

namespace evenkeel {

/// Adds --log to `command`; `file` stays empty without it.
CLI::Option* add_log_option(CLI::App& command, std::string& file);

}  // namespace evenkeel
