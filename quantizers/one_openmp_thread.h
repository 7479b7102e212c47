// oneDNN runs on OpenMP; within one of these it runs on the calling thread alone.
#pragma once

#include <omp.h>

namespace evenkeel {

/// OpenMP keeps a count for each calling thread, which gets its own back at the end.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;
  ~OneOpenMpThread() { omp_set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace evenkeel
