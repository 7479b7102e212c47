#include "calib/hidden_memory.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using support::ScratchFolder;

TEST(HiddenMemoryTest, FirstComeFirstServed) {
  HiddenMemory memory(100, "nowhere");  // no file is made unless it is needed
  EXPECT_TRUE(memory.take(60));
  EXPECT_FALSE(memory.take(41));
  EXPECT_TRUE(memory.take(40));
  EXPECT_FALSE(memory.take(1));
  memory.give_back(60, 0);
  EXPECT_TRUE(memory.take(60));
}

TEST(HiddenMemoryTest, RoomInTheFileIsUsedAgainWhenAllIsGivenBack) {
  const ScratchFolder folder;
  HiddenMemory memory(0, folder.path());
  EXPECT_EQ(memory.spill(1000), 0U);
  EXPECT_EQ(memory.spill(500), 1000U);
  memory.give_back(0, 1000);
  EXPECT_EQ(memory.spill(10), 1500U);
  memory.give_back(0, 510);
  EXPECT_EQ(memory.spill(7), 0U);
}

TEST(HiddenMemoryTest, AMissingFolderIsAMachineError) {
  const ScratchFolder folder;
  HiddenMemory memory(0, folder / "none");
  support::expect_error<MachineError>([&] { memory.spill(1); }, folder / "none",
                                      {"cannot be made"});
}

TEST(HiddenMemoryTest, SizesThatNoDiskHasAreRefused) {
  const ScratchFolder folder;
  HiddenMemory memory(0, folder.path());
  for (const std::uint64_t size : {~std::uint64_t{0}, std::uint64_t{1} << 63U}) {
    support::expect_error<MachineError>([&] { memory.spill(size); }, folder.path(),
                                        {"cannot be written"});
  }
  EXPECT_EQ(memory.spill(4096), 0U);
  support::expect_error<MachineError>([&] { memory.spill(~std::uint64_t{0}); }, folder.path(),
                                      {"cannot be written"});
}

TEST(HiddenMemoryTest, TemporaryFolderIsWhatTheEnvironmentSays) {
  const char* const set = std::getenv("TMPDIR");
  const std::string before = set == nullptr ? "" : set;
  ::setenv("TMPDIR", "/some/where", 1);
  EXPECT_EQ(temporary_folder(), "/some/where");
  for (const bool empty : {true, false}) {
    empty ? ::setenv("TMPDIR", "", 1) : ::unsetenv("TMPDIR");
    EXPECT_EQ(temporary_folder(), "/var/tmp");
  }
  if (set != nullptr) ::setenv("TMPDIR", before.c_str(), 1);
}

}  // namespace
}  // namespace evenkeel
