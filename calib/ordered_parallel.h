// Work over samples in parallel whose results are taken in sample order, so that nothing depends
// on the number of threads.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

namespace evenkeel {

/// How many windows are worked on or wait at once.
inline std::size_t windows_in_flight() {
  return 2 * static_cast<std::size_t>(tbb::info::default_concurrency());
}

/// Calls `make(i)` for i in [0, count) in parallel and `take(i, result)` one at a time in
/// ascending i. No more than a few results wait at once. What either throws is thrown here, as it
/// is, once the calls under way have returned.
template <typename Make, typename Take>
void make_and_take_in_order(std::size_t count, const Make& make, const Take& take) {
  using Result = decltype(make(std::size_t{0}));
  // Results wait here and not in the pipeline, which does not destroy what is under way in it when
  // an exception ends it.
  std::vector<std::optional<Result>> results(count);
  std::size_t next = 0;
  const auto number = [&](tbb::flow_control& control) {
    if (next == count) {
      control.stop();
      return count;
    }
    return next++;
  };
  const auto make_one = [&](std::size_t i) {
    results[i].emplace(make(i));
    return i;
  };
  const auto take_one = [&](std::size_t i) {
    take(i, std::move(*results[i]));
    results[i].reset();
  };
  tbb::parallel_pipeline(
      windows_in_flight(),
      tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, number) &
          tbb::make_filter<std::size_t, std::size_t>(tbb::filter_mode::parallel, make_one) &
          tbb::make_filter<std::size_t, void>(tbb::filter_mode::serial_in_order, take_one));
}

/// Calls `work(i)` for i in [0, count) side by side, each with parallel work of its own. Of what
/// they throw, that of the smallest i is thrown here once all have returned.
template <typename Work>
void side_by_side(std::size_t count, const Work& work) {
  std::vector<std::exception_ptr> faults(count);
  tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
    try {
      // A thread that waits for parts of one is not to begin another within it.
      tbb::this_task_arena::isolate([&] { work(i); });
    } catch (...) {
      faults[i] = std::current_exception();
    }
  });
  for (const std::exception_ptr& fault : faults) {
    if (fault) std::rethrow_exception(fault);
  }
}

/// Calls `work(i)` for i in [0, count) in parallel, begun in ascending order.
template <typename Work>
void begin_in_order(std::size_t count, const Work& work) {
  make_and_take_in_order(
      count,
      [&](std::size_t i) {
        work(i);
        return true;
      },
      [](std::size_t, bool) {});
}

}  // namespace evenkeel
