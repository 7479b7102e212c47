#include "apps/job_arguments.h"

namespace evenkeel {

void JobArguments::add_to(CLI::App& command) {
  command.add_option("JOB", file, "The job file (YAML)")->required();
  command
      .add_option("--set", settings,
                  "Sets a key of the job, such as transform.method=none; may be given again")
      ->type_name("KEY.PATH=VALUE")
      ->allow_extra_args(false);
}

}  // namespace evenkeel
