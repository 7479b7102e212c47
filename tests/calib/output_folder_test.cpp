#include "calib/output_folder.h"

#include <string>

#include <gtest/gtest.h>

#include "calib/commit_journal.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;
using support::expect_error;
using support::FileBytes;
using support::files_below;
using support::read_bytes;
using support::write_bytes;

class OutputFolderTest : public testing::Test {
 protected:
  fs::path output() const { return scratch_ / "deep/out"; }

  // A whole run that leaves a folder and a file.
  void leave(const std::string& content) const {
    OutputFolder folder(output());
    stage(folder, content);
    folder.commit();
  }

  static void stage(OutputFolder& folder, const std::string& content) {
    write_bytes(folder.stage_folder("model") / content, content);
    write_bytes(folder.stage("summary.json"), content);
  }

  support::ScratchFolder scratch_;
};

TEST_F(OutputFolderTest, NothingAppearsBeforeCommit) {
  OutputFolder folder(output());
  stage(folder, "a");
  EXPECT_FALSE(fs::exists(output() / "summary.json"));
  EXPECT_FALSE(fs::exists(output() / "model"));
  folder.commit();
  EXPECT_EQ(read_bytes(output() / "summary.json"), "a");
  EXPECT_EQ(read_bytes(output() / "model/a"), "a");
}

TEST_F(OutputFolderTest, ReplacesWholeFoldersAndLeavesTheRest) {
  leave("a");
  write_bytes(output() / "notes.txt", "mine");
  leave("b");
  EXPECT_EQ(files_below(output()),
            (FileBytes{{"model/b", "b"}, {"notes.txt", "mine"}, {"summary.json", "b"}}));
  EXPECT_FALSE(fs::exists(output() / ".unfinished"));
}

TEST_F(OutputFolderTest, FileTakesTheFoldersPlaceAndTheOtherWayRound) {
  fs::create_directories(output() / "summary.json/deep");
  write_bytes(output() / "model", "a file");
  leave("a");
  EXPECT_EQ(files_below(output()), (FileBytes{{"model/a", "a"}, {"summary.json", "a"}}));
}

TEST_F(OutputFolderTest, LinkIsReplacedNotFollowed) {
  fs::create_directories(output());
  fs::create_directory(scratch_ / "precious");
  write_bytes(scratch_ / "precious/weights", "precious");
  fs::create_directory_symlink(scratch_ / "precious", output() / "model");
  leave("a");
  EXPECT_FALSE(fs::is_symlink(output() / "model"));
  EXPECT_EQ(files_below(scratch_ / "precious"), (FileBytes{{"weights", "precious"}}));
}

TEST_F(OutputFolderTest, DestroyedWithoutCommitLeavesNoTrace) {
  { OutputFolder folder(output()); }
  EXPECT_FALSE(fs::exists(output()));
  leave("a");
  const FileBytes before = files_below(output());
  {
    OutputFolder folder(output());
    stage(folder, "b");
  }
  EXPECT_EQ(files_below(output()), before);
  EXPECT_FALSE(fs::exists(output() / ".unfinished"));
}

TEST_F(OutputFolderTest, NewFolderWithAStrangersFileStays) {
  {
    OutputFolder folder(output());
    write_bytes(output() / "notes.txt", "mine");
  }
  EXPECT_EQ(files_below(output()), (FileBytes{{"notes.txt", "mine"}}));
}

TEST_F(OutputFolderTest, LeftoversOfAKilledJobAreRemoved) {
  fs::create_directories(output() / ".unfinished/model");
  write_bytes(output() / ".unfinished/model/half", "half");
  leave("a");
  EXPECT_EQ(files_below(output()), (FileBytes{{"model/a", "a"}, {"summary.json", "a"}}));
}

// A staging folder that is kept, with its job.
void stage_kept(OutputFolder& folder, const std::string& content) {
  folder.keep(true);
  write_bytes(folder.job_file(), "a job");
  write_bytes(folder.stage_folder("model") / content, content);
  write_bytes(folder.stage("summary.json"), content);
}

TEST_F(OutputFolderTest, KeptStagingOutlivesItsProgramUntilItsJobIsGone) {
  {
    OutputFolder folder(output(), Leftovers::keep);
    stage_kept(folder, "a");
  }
  {
    const OutputFolder folder(output(), Leftovers::keep);
    EXPECT_TRUE(folder.is_kept());
    EXPECT_EQ(read_bytes(folder.staging() / "model/a"), "a");
  }
  leave("b");  // what is discarded is elsewhere
  EXPECT_EQ(read_bytes(output() / ".staging/model/a"), "a");
  {
    OutputFolder folder(output(), Leftovers::keep);
    folder.clear();
    EXPECT_FALSE(folder.is_kept());
    EXPECT_TRUE(fs::is_empty(folder.staging()));
    write_bytes(folder.staging() / "half", "half");
    folder.keep(true);
  }
  const OutputFolder folder(output(), Leftovers::keep);
  EXPECT_FALSE(folder.is_kept());
  EXPECT_TRUE(fs::is_empty(folder.staging()));
}

// Killed when so many of the two entries were moved; with an old entry to exchange or without, and
// half-way where the file system cannot exchange.
TEST_F(OutputFolderTest, EndsACommitThatWasKilled) {
  for (const bool old : {true, false}) {
    for (int moved = 0; moved <= 3; ++moved) {
      SCOPED_TRACE(moved);
      fs::remove_all(output());
      if (old) leave("old");
      {
        OutputFolder folder(output(), Leftovers::keep);
        stage_kept(folder, "new");
        write_journal(folder.staging(),
                      {{"model", *inode_of(folder.staging() / "model")},
                       {"summary.json", *inode_of(folder.staging() / "summary.json")}});
      }
      const auto move = [&](const char* name, bool whole) {
        const fs::path aside = output() / ".staging" / (std::string(name) + ".old");
        if (old) fs::rename(output() / name, aside);
        if (whole) fs::rename(output() / ".staging" / name, output() / name);
        if (whole && old && moved != 3) fs::rename(aside, output() / ".staging" / name);
      };
      if (moved >= 1) move("model", true);
      if (moved >= 2) move("summary.json", moved == 2);
      {
        OutputFolder folder(output(), Leftovers::keep);
        EXPECT_TRUE(folder.is_committing());
        EXPECT_TRUE(folder.end_commit());
      }
      EXPECT_EQ(files_below(output()), (FileBytes{{"model/new", "new"}, {"summary.json", "new"}}));
      EXPECT_FALSE(fs::exists(output() / ".staging"));
    }
  }
}

TEST_F(OutputFolderTest, CommitWhoseEntriesAreGoneIsNotEnded) {
  {
    OutputFolder folder(output(), Leftovers::keep);
    stage_kept(folder, "new");
    EXPECT_FALSE(folder.end_commit());
    write_journal(folder.staging(), {{"model", *inode_of(folder.staging() / "model") + 1}});
    expect_error<MachineError>([&] { folder.end_commit(); }, output() / "model", {"is gone"});
    for (const char* name : {"../model", "", ".", "..", "a/b", "/etc"}) {
      write_journal(folder.staging(), {{name, 1}});
      EXPECT_FALSE(folder.is_committing()) << name;
    }
  }
  EXPECT_TRUE(fs::exists(output() / ".staging/model/new"));
}

TEST_F(OutputFolderTest, CommitThatFailsPutsEverythingBack) {
  leave("a");
  fs::create_directory(output() / "quantized");
  write_bytes(output() / "quantized/old", "old");
  const FileBytes before = files_below(output());
  {
    OutputFolder folder(output());
    stage(folder, "b");
    write_bytes(folder.stage("new"), "new");
    folder.stage("never made");
    expect_error<MachineError>([&] { folder.commit(); }, output() / "never made",
                               {"cannot write the output"});
  }
  EXPECT_EQ(files_below(output()), before);
}

TEST_F(OutputFolderTest, FolderThatCannotBeMade) {
  OutputFolder folder(output());
  expect_error<MachineError>([&] { folder.stage_folder(std::string(300, 'x')); }, output(),
                             {"cannot write the output"});
}

TEST_F(OutputFolderTest, OneWriterAtATime) {
  {
    const OutputFolder first(output());
    expect_error<MachineError>([&] { OutputFolder second(output()); }, output(),
                               {"another job is writing there"});
    EXPECT_TRUE(fs::exists(output() / ".unfinished"));
  }
  EXPECT_NO_THROW(leave("a"));
}

TEST_F(OutputFolderTest, PlaceThatCannotBeAFolder) {
  write_bytes(scratch_ / "deep", "a file");
  expect_error<MachineError>([&] { OutputFolder folder(output()); }, output(),
                             {"cannot write the output", "choose another 'output'"});
  expect_error<MachineError>([&] { OutputFolder folder(scratch_ / "deep"); }, scratch_ / "deep",
                             {"cannot write the output"});
  EXPECT_EQ(read_bytes(scratch_ / "deep"), "a file");
}

}  // namespace
}  // namespace evenkeel
