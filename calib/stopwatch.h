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
  /// What it shows: seconds of each phase, then the total.
  using Reading = std::array<double, 5>;

  /// Runs `work` and adds its time to `phase`; returns what it returns.
  template <typename Work>
  auto time(Phase phase, const Work& work) {
    const Timer timer(seconds_[static_cast<std::size_t>(phase)]);
    return work();
  }
  double seconds(Phase phase) const { return seconds_[static_cast<std::size_t>(phase)]; }
  double total() const { return earlier_ + since(start_); }

  Reading reading() const { return {seconds_[0], seconds_[1], seconds_[2], seconds_[3], total()}; }
  /// Adds what another one showed, of an earlier attempt.
  void add(const Reading& earlier) {
    for (std::size_t i = 0; i < seconds_.size(); ++i) seconds_[i] += earlier[i];
    earlier_ += earlier.back();
  }

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
  double earlier_ = 0.0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace evenkeel
