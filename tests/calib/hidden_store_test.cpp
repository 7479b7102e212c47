#include "calib/hidden_store.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "calib/ordered_parallel.h"
#include "io/errors.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using support::ScratchFolder;

constexpr Index columns = 6;
const std::vector<Index> rows{3, 1, 5, 2, 4, 1};
// Bytes of the first windows, the last entry those of all.
std::vector<std::uint64_t> bytes_up_to() {
  std::vector<std::uint64_t> sums{0};
  for (const Index count : rows) {
    sums.push_back(sums.back() + static_cast<std::uint64_t>(count * columns) * sizeof(float));
  }
  return sums;
}

Matrix state_of(std::size_t window, float offset = 0.0F) {
  Matrix state(rows[window], columns);
  for (Index i = 0; i < state.size(); ++i) {
    state.data()[i] = offset + static_cast<float>(window * 1000) + static_cast<float>(i) / 3.0F;
  }
  return state;
}

void fill(HiddenStore& store) {
  for (std::size_t i = 0; i < store.size(); ++i) store.store(i, state_of(i));
}

void expect_filled(const HiddenStore& store) {
  for (std::size_t i = 0; i < store.size(); ++i) EXPECT_EQ(store.load(i), state_of(i)) << i;
}

TEST(HiddenStoreTest, WithoutALimitAllIsInMemory) {
  HiddenStore store(rows, columns, nullptr);
  EXPECT_EQ(store.size(), rows.size());
  EXPECT_EQ(store.resident(), rows.size());
  fill(store);
  expect_filled(store);
}

TEST(HiddenStoreTest, TheFirstWindowsThatFitAreInMemory) {
  const ScratchFolder folder;
  const auto sums = bytes_up_to();
  for (std::size_t fitting = 0; fitting <= rows.size(); ++fitting) {
    HiddenMemory memory(sums[fitting], folder.path());
    HiddenStore store(rows, columns, &memory);
    EXPECT_EQ(store.resident(), fitting);
    fill(store);
    expect_filled(store);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
  // A later one that would fit does not take what an earlier one found too little.
  HiddenMemory memory(sums[3] - 1, folder.path());
  EXPECT_EQ(HiddenStore(rows, columns, &memory).resident(), 2U);
}

TEST(HiddenStoreTest, ChangesWhereverAWindowIs) {
  const ScratchFolder folder;
  for (const std::uint64_t limit : {std::uint64_t{0}, bytes_up_to()[3], bytes_up_to().back()}) {
    HiddenMemory memory(limit, folder.path());
    HiddenStore store(rows, columns, &memory);
    fill(store);
    begin_in_order(store.size(), [&](std::size_t i) {
      store.change(i, [&](Matrix& state) {
        EXPECT_EQ(state, state_of(i));
        state = state_of(i, 0.5F);
      });
    });
    for (std::size_t i = 0; i < store.size(); ++i) EXPECT_EQ(store.load(i), state_of(i, 0.5F));
  }
}

TEST(HiddenStoreTest, AChangeThatThrowsLeavesTheFileAsItWas) {
  const ScratchFolder folder;
  HiddenMemory memory(0, folder.path());
  HiddenStore store(rows, columns, &memory);
  fill(store);
  EXPECT_THROW(store.change(2,
                            [](Matrix& state) {
                              state.setZero();
                              throw std::runtime_error("no");
                            }),
               std::runtime_error);
  expect_filled(store);
}

TEST(HiddenStoreTest, StoresShareWhatTheyMayTake) {
  const ScratchFolder folder;
  const std::uint64_t all = bytes_up_to().back();
  HiddenMemory memory(all + bytes_up_to()[2], folder.path());
  HiddenStore first(rows, columns, &memory);
  HiddenStore third;
  {
    HiddenStore second(rows, columns, &memory);
    third = HiddenStore(rows, columns, &memory);
    EXPECT_EQ(first.resident(), rows.size());
    EXPECT_EQ(second.resident(), 2U);
    EXPECT_EQ(third.resident(), 0U);
    for (HiddenStore* store : {&first, &second, &third}) fill(*store);
    for (HiddenStore* store : {&first, &second, &third}) expect_filled(*store);
  }
  HiddenStore fourth(rows, columns, &memory);  // has what the second gave back
  EXPECT_EQ(fourth.resident(), 2U);
  fill(fourth);
  expect_filled(third);
  HiddenStore moved = std::move(fourth);
  expect_filled(moved);
}

TEST(HiddenStoreTest, WhatHasNoRoomAnywhereIsAnErrorThatTakesNothing) {
  const ScratchFolder folder;
  const std::uint64_t all = bytes_up_to().back();
  HiddenMemory memory(all - 1, folder / "none");
  EXPECT_THROW(HiddenStore(rows, columns, &memory), MachineError);
  EXPECT_TRUE(memory.take(all - 1));
}

}  // namespace
}  // namespace evenkeel
