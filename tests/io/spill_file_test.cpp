#include "io/spill_file.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using support::expect_error;
using support::ScratchFolder;

std::vector<std::byte> bytes_of(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>((i * 131 + i / 257 + seed) & 0xffU);
  }
  return bytes;
}

std::vector<std::byte> read(const SpillFile& file, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  file.read_at(offset, bytes);
  return bytes;
}

TEST(SpillFileTest, GivesBackWhatWasWritten) {
  const ScratchFolder folder;
  SpillFile file(folder.path());
  file.reserve(1'000'000);
  const auto first = bytes_of(300'000, 1);
  const auto second = bytes_of(100'001, 2);
  file.write_at(500'000, second);  // in any order, at any offset
  file.write_at(0, first);
  file.will_read(0, first.size());
  file.will_read(5'000'000, 1);  // no harm beyond the end
  EXPECT_EQ(read(file, 0, first.size()), first);
  EXPECT_EQ(read(file, 500'000, second.size()), second);
  const auto third = bytes_of(1000, 3);
  file.write_at(1000, third);
  EXPECT_EQ(read(file, 1000, 1000), third);
  EXPECT_EQ(read(file, 0, 1000), std::vector(first.begin(), first.begin() + 1000));
  EXPECT_EQ(read(file, 2000, 1), std::vector(1, first[2000]));
}

TEST(SpillFileTest, IsNotInTheFolder) {
  const ScratchFolder folder;
  SpillFile file(folder.path());
  file.write_at(0, bytes_of(10'000, 1));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SpillFileTest, TwoInOneFolderDoNotMeet) {
  const ScratchFolder folder;
  SpillFile one(folder.path());
  SpillFile other(folder.path());
  one.write_at(0, bytes_of(5000, 1));
  other.write_at(0, bytes_of(5000, 2));
  EXPECT_EQ(read(one, 0, 5000), bytes_of(5000, 1));
}

TEST(SpillFileTest, FaultsNameTheFolder) {
  const ScratchFolder folder;
  expect_error<MachineError>([&] { SpillFile file(folder / "none"); }, folder / "none",
                             {"cannot be made", "No such file", "raise the memory limit"});
  support::write_bytes(folder / "file", "");
  expect_error<MachineError>([&] { SpillFile file(folder / "file"); }, folder / "file",
                             {"cannot be made", "Not a directory"});
  SpillFile file(folder.path());
  expect_error<MachineError>([&] { file.reserve(std::uint64_t{1} << 63U); }, folder.path(),
                             {"cannot be written", "free some space"});
  std::vector<std::byte> never_written(8);
  expect_error<MachineError>([&] { file.read_at(0, never_written); }, folder.path(),
                             {"cannot be read"});
}

TEST(SpillFileTest, AFullDiskIsFoundByReserveAndByWrite) {
  const ScratchFolder folder;
  SpillFile file(folder.path());
  // A limit on the size of files stands in for a full disk.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error<MachineError>([&] { file.reserve(10'000); }, folder.path(),
                             {"cannot be written", "free some space there", "raise"});
  expect_error<MachineError>([&] { file.write_at(0, bytes_of(10'000, 1)); }, folder.path(),
                             {"cannot be written", "free some space there", "raise"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(std::signal(SIGXFSZ, handler), SIG_IGN);
}

}  // namespace
}  // namespace evenkeel
