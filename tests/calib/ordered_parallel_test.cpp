#include "calib/ordered_parallel.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

TEST(OrderedParallelTest, TakesEveryResultOnceInOrder) {
  for (const std::size_t threads : {1U, 2U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
      std::vector<std::size_t> taken;
      make_and_take_in_order(
          count, [](std::size_t i) { return std::make_unique<std::size_t>(i * i); },
          [&](std::size_t i, std::unique_ptr<std::size_t> square) {
            EXPECT_EQ(*square, i * i);
            taken.push_back(i);
          });
      ASSERT_EQ(taken.size(), count);
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(taken[i], i);
    }
  }
}

TEST(OrderedParallelTest, FewResultsWait) {
  std::atomic<int> alive{0};
  std::atomic<int> most{0};
  struct Counted {
    explicit Counted(std::atomic<int>& count) : count_(&count) { ++*count_; }
    Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Counted& operator=(Counted&&) = delete;
    ~Counted() {
      if (count_ != nullptr) --*count_;
    }
    std::atomic<int>* count_;
  };
  make_and_take_in_order(
      500, [&](std::size_t) { return Counted(alive); },
      [&](std::size_t, const Counted&) { most = std::max(most.load(), alive.load()); });
  EXPECT_LE(most, 2 * tbb::info::default_concurrency());
  EXPECT_EQ(alive, 0);
}

TEST(OrderedParallelTest, ErrorsArriveAsTheyAre) {
  const auto nothing = [](std::size_t, int) {};
  const auto fail = [](std::size_t i) -> int {
    if (i == 37) throw InputError("window 37");
    return 0;
  };
  for (const std::size_t threads : {1U, 2U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    try {
      make_and_take_in_order(100, fail, nothing);
      FAIL() << "no error";
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()), "window 37");
    }
    std::size_t taken = 0;
    EXPECT_THROW(make_and_take_in_order(
                     100, [](std::size_t i) { return std::vector<std::size_t>(100, i); },
                     [&](std::size_t i, const std::vector<std::size_t>&) {
                       if (i == 5) throw MachineError("full");
                       ++taken;
                     }),
                 MachineError);
    EXPECT_EQ(taken, 5U);
  }
}

}  // namespace
}  // namespace evenkeel
