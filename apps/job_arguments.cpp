#include "apps/job_arguments.h"

#include "apps/log_option.h"

namespace evenkeel {

void JobArguments::add_to(CLI::App& command) {
  command.add_option("JOB", file, "The job file (YAML)")->required();
  add_options_to(command);
}

void JobArguments::add_options_to(CLI::App& command, CLI::Option* needed) {
  CLI::Option* set =
      command
          .add_option("--set", settings,
                      "Sets a key of the job, such as transform.method=none; may be given again")
          ->type_name("KEY.PATH=VALUE")
          ->allow_extra_args(false);
  CLI::Option* log_option = add_log_option(command, log);
  if (needed == nullptr) return;
  set->needs(needed);
  log_option->needs(needed);
}

}  // namespace evenkeel
