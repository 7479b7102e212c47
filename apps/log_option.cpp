#include "apps/log_option.h"

namespace evenkeel {

CLI::Option* add_log_option(CLI::App& command, std::string& file) {
  return command.add_option("--log", file, "Append steps and notes to a file, with their times")
      ->type_name("FILE");
}

}  // namespace evenkeel
