#include "calib/peak_memory.h"

#include <fstream>
#include <sstream>
#include <string>

namespace evenkeel {

// Not getrusage, whose ru_maxrss begins with what the parent had when it started this program.
std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    std::istringstream rest(line.substr(line.find(':') + 1));
    std::uint64_t kilobytes = 0;
    rest >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace evenkeel
