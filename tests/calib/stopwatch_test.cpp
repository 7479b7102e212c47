#include "calib/stopwatch.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

void wait_for_a_tick() {
  const auto start = Stopwatch::Clock::now();
  while (Stopwatch::Clock::now() == start) {
  }
}

TEST(StopwatchTest, AddsToItsPhaseAlone) {
  Stopwatch stopwatch;
  EXPECT_EQ(stopwatch.time(Phase::search,
                           [] {
                             wait_for_a_tick();
                             return std::string("found");
                           }),
            "found");
  const double once = stopwatch.seconds(Phase::search);
  EXPECT_GT(once, 0.0);
  stopwatch.time(Phase::search, wait_for_a_tick);
  EXPECT_GT(stopwatch.seconds(Phase::search), once);
  for (const Phase other : {Phase::observe, Phase::quantize, Phase::evaluate}) {
    EXPECT_EQ(stopwatch.seconds(other), 0.0);
  }
  EXPECT_GE(stopwatch.total(), stopwatch.seconds(Phase::search));
}

TEST(StopwatchTest, CountsWorkThatFails) {
  Stopwatch stopwatch;
  EXPECT_THROW(stopwatch.time(Phase::observe,
                              [] {
                                wait_for_a_tick();
                                throw std::runtime_error("failed");
                              }),
               std::runtime_error);
  EXPECT_GT(stopwatch.seconds(Phase::observe), 0.0);
}

}  // namespace
}  // namespace evenkeel
