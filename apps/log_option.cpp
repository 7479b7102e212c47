#include "apps/log_option.h"

namespace evenkeel {

void add_log_option(CLI::App& command, std::string& file) {
  command.add_option("--log", file, "Append steps and notes to a file, with their times")
      ->type_name("FILE");
}

}  // namespace evenkeel
