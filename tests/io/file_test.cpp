#include "io/file.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;
using support::expect_error;
using support::read_bytes;
using support::ScratchFolder;
using support::write_bytes;

std::size_t files_in(const fs::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count;
}

TEST(MappedFileTest, ShowsTheBytesAndOutlivesMoves) {
  const ScratchFolder folder;
  const std::string content(10'000, 'x');
  write_bytes(folder / "a", content + "end");
  MappedFile first(folder / "a");
  const std::byte* const place = first.bytes().data();
  MappedFile second(std::move(first));
  MappedFile third;
  third = std::move(second);
  EXPECT_EQ(third.text(), content + "end");
  EXPECT_EQ(third.bytes().data(), place);
}

TEST(MappedFileTest, AnEmptyFileIsEmpty) {
  const ScratchFolder folder;
  write_bytes(folder / "empty", "");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_EQ(read_text(folder / "empty"), "");
}

TEST(MappedFileTest, ReleasedPagesAreReadAgain) {
  const ScratchFolder folder;
  const std::string content(100'000, 'y');
  write_bytes(folder / "a", content);
  const MappedFile file(folder / "a");
  for (const auto& [offset, size] : {std::pair<std::size_t, std::size_t>{0, 100'000},
                                     {1, 4096},
                                     {5000, 50'000},
                                     {99'999, 1},
                                     {100'000, 0}}) {
    file.release(offset, size);
    EXPECT_EQ(file.text(), content);
  }
}

TEST(MappedFileTest, WhatCannotBeReadIsAnInputError) {
  const ScratchFolder folder;
  expect_error<InputError>([&] { MappedFile(folder / "none"); }, folder / "none",
                           {"cannot be read", "No such file"});
  expect_error<InputError>([&] { MappedFile(folder.path()); }, folder.path(),
                           {"not a regular file"});
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error<InputError>([&] { read_text(folder / "pipe"); }, folder / "pipe",
                           {"not a regular file"});
}

TEST(ReplacingFileTest, AppearsOnlyByCommit) {
  const ScratchFolder folder;
  write_bytes(folder / "a", "old");
  {
    ReplacingFile file(folder / "a");
    file.append("new");
    EXPECT_EQ(read_bytes(folder / "a"), "old");
    file.commit();
  }
  EXPECT_EQ(read_bytes(folder / "a"), "new");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplacingFileTest, LeavesNothingWithoutCommit) {
  const ScratchFolder folder;
  { ReplacingFile(folder / "a").append("lost"); }
  EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST(ReplacingFileTest, WritesAnywhereAndGivesBackWhatItDidNotNeed) {
  const ScratchFolder folder;
  ReplacingFile file(folder / "a");
  file.reserve(1'000'000);
  file.write_at(4, std::as_bytes(std::span("4567", 4)));
  file.write_at(0, std::as_bytes(std::span("0123", 4)));
  file.append("89");
  file.commit();
  EXPECT_EQ(read_bytes(folder / "a"), "0123456789");
}

TEST(ReplacingFileTest, TakesOverWhatAKilledProgramLeft) {
  const ScratchFolder folder;
  write_bytes(folder / "a.partial", std::string(1000, 'z'));
  write_text(folder / "a", "whole");
  EXPECT_EQ(read_bytes(folder / "a"), "whole");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplacingFileTest, KeepsWhatIsUnfinishedAndContinuesIt) {
  const ScratchFolder folder;
  const fs::path target = folder / "a";
  {
    ReplacingFile file(target, Leftovers::keep);
    EXPECT_EQ(file.size(), 0U);
    file.append("one ");
    file.sync();
  }
  EXPECT_FALSE(fs::exists(target));
  {
    ReplacingFile file(target, Leftovers::keep);
    ASSERT_EQ(file.size(), 4U);
    std::string found(3, '\0');
    file.read_at(1, std::as_writable_bytes(std::span(found)));
    EXPECT_EQ(found, "ne ");
    file.append("two");
    file.commit();
  }
  EXPECT_EQ(read_bytes(target), "one two");
  // What was committed is continued, too.
  {
    ReplacingFile file(target, Leftovers::keep);
    EXPECT_FALSE(fs::exists(target));
    EXPECT_EQ(file.size(), 7U);
    file.resize(9);
    file.write_at(8, std::as_bytes(std::span(std::string_view("!"))));
    file.commit();
  }
  EXPECT_EQ(read_bytes(target), std::string("one two\0!", 9));
}

TEST(ReplacingFileTest, TwoProgramsDoNotWriteOneFile) {
  const ScratchFolder folder;
  ReplacingFile file(folder / "a");
  file.append("first");
  expect_error<MachineError>([&] { ReplacingFile(folder / "a"); }, folder / "a.partial",
                             {"another program is writing it"});
  file.commit();
  EXPECT_EQ(read_bytes(folder / "a"), "first");
  write_text(folder / "a", "second");
  EXPECT_EQ(read_bytes(folder / "a"), "second");
}

TEST(ReplacingFileTest, AFolderThatIsNoneIsAMachineError) {
  const ScratchFolder folder;
  write_bytes(folder / "file", "");
  expect_error<MachineError>([&] { write_text(folder / "file" / "a", "x"); }, folder / "file" / "a",
                             {"cannot be written", "Not a directory", "output folder"});
  expect_error<MachineError>([&] { write_text(folder / "none" / "a", "x"); }, folder / "none" / "a",
                             {"No such file"});
}

TEST(ReplacingFileTest, ATargetThatIsAFolderStays) {
  const ScratchFolder folder;
  fs::create_directory(folder / "a");
  expect_error<MachineError>([&] { write_text(folder / "a", "x"); }, folder / "a",
                             {"cannot be written"});
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplacingFileTest, DoesNotFollowALinkPutInItsPlace) {
  const ScratchFolder folder;
  write_bytes(folder / "precious", "kept");
  fs::create_symlink(folder / "precious", folder / "a.partial");
  EXPECT_THROW(write_text(folder / "a", "x"), MachineError);
  EXPECT_EQ(read_bytes(folder / "precious"), "kept");
}

TEST(ReplacingFileTest, AnAbsurdSizeIsAMachineError) {
  const ScratchFolder folder;
  ReplacingFile file(folder / "a");
  expect_error<MachineError>([&] { file.reserve(std::uint64_t{1} << 63); }, folder / "a",
                             {"free some space"});
}

// A limit on the size of files stands in for a full disk: both refuse to write.
class FullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit small{.rlim_cur = 4096, .rlim_max = before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  }
  void TearDown() override {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    EXPECT_EQ(std::signal(SIGXFSZ, handler_), SIG_IGN);
  }

  const ScratchFolder folder;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

TEST_F(FullDiskTest, IsFoundByReserve) {
  ReplacingFile file(folder / "a");
  expect_error<MachineError>([&] { file.reserve(100'000); }, folder / "a",
                             {"cannot be written", "free some space"});
}

TEST_F(FullDiskTest, LeavesTheOldFile) {
  write_text(folder / "a", "old");
  expect_error<MachineError>([&] { write_text(folder / "a", std::string(100'000, 'x')); },
                             folder / "a", {"cannot be written", "free some space"});
  EXPECT_EQ(read_bytes(folder / "a"), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

}  // namespace
}  // namespace evenkeel
