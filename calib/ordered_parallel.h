// Work over samples in parallel whose results are taken in sample order, so that nothing depends
// on the number of threads.
#pragma once

#include <cstddef>
#include <utility>

#include <tbb/info.h>
#include <tbb/parallel_pipeline.h>

namespace evenkeel {

/// Calls `make(i)` for i in [0, count) in parallel and `take(i, result)` one at a time in
/// ascending i. No more than a few results wait at once. What either throws is thrown here, as it
/// is, once the calls under way have returned.
template <typename Make, typename Take>
void make_and_take_in_order(std::size_t count, const Make& make, const Take& take) {
  using Result = decltype(make(std::size_t{0}));
  using Numbered = std::pair<std::size_t, Result>;
  const auto waiting = 2 * static_cast<std::size_t>(tbb::info::default_concurrency());
  std::size_t next = 0;
  tbb::parallel_pipeline(waiting,
                         tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order,
                                                             [&](tbb::flow_control& control) {
                                                               if (next == count) {
                                                                 control.stop();
                                                                 return count;
                                                               }
                                                               return next++;
                                                             }) &
                             tbb::make_filter<std::size_t, Numbered>(tbb::filter_mode::parallel,
                                                                     [&](std::size_t i) {
                                                                       return Numbered{i, make(i)};
                                                                     }) &
                             tbb::make_filter<Numbered, void>(
                                 tbb::filter_mode::serial_in_order, [&](Numbered numbered) {
                                   take(numbered.first, std::move(numbered.second));
                                 }));
}

}  // namespace evenkeel
