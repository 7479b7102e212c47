// Where the time of a job goes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace evenkeel {

enum class Phase { observe, search, quantize, evaluate };

/// Seconds by phase. Not thread-safe; phases do not nest.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// Runs `work` and adds its time to `phase`; returns what it returns.
  template <typename Work>
  auto time(Phase phase, const Work& work) {
    const Timer timer(seconds_[static_cast<std::size_t>(phase)]);
    return work();
  }
  double seconds(Phase phase) const { return seconds_[static_cast<std::size_t>(phase)]; }
  double total() const { return since(start_); }

 private:
  static double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  class Timer {
   public:
    explicit Timer(double& sum) : sum_(sum) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { sum_ += since(start_); }

   private:
    double& sum_;
    Clock::time_point start_ = Clock::now();
  };

  std::array<double, 4> seconds_{};
  Clock::time_point start_ = Clock::now();
};

}  // namespace evenkeel
