// What a kernel's benchmark counts.
#pragma once

#include <benchmark/benchmark.h>

namespace evenkeel {

/// `items` of each iteration, as items_per_second: multiply-adds twice for products, values for the
/// rest.
inline void count_items(benchmark::State& state, double items) {
  state.counters["items_per_second"] =
      benchmark::Counter(items, benchmark::Counter::kIsIterationInvariantRate);
}

/// Bytes read and written, as bytes_per_second.
inline void count_bytes(benchmark::State& state, double bytes) {
  state.counters["bytes_per_second"] =
      benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace evenkeel
