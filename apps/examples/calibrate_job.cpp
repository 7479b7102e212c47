// What `calibrate run` does, from a program of one's own:
//   calibrate_job JOB.yaml [key.path=value]...
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "calib/runner.h"

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty()) {
    std::cerr << "usage: calibrate_job JOB.yaml [key.path=value]...\n";
    return 2;
  }
  try {
    const evenkeel::Job job = evenkeel::load_job(words.front(), {words.begin() + 1, words.end()});
    evenkeel::Progress silent;
    std::cout << evenkeel::run_job(job, silent).dump(2) << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return std::cout.flush() ? 0 : 1;
}
