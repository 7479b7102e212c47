#include "calib/output_folder.h"

#include <string>

#include <gtest/gtest.h>

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
  EXPECT_FALSE(fs::exists(output() / ".staging"));
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
  EXPECT_FALSE(fs::exists(output() / ".staging"));
}

TEST_F(OutputFolderTest, NewFolderWithAStrangersFileStays) {
  {
    OutputFolder folder(output());
    write_bytes(output() / "notes.txt", "mine");
  }
  EXPECT_EQ(files_below(output()), (FileBytes{{"notes.txt", "mine"}}));
}

TEST_F(OutputFolderTest, LeftoversOfAKilledJobAreRemoved) {
  fs::create_directories(output() / ".staging/model");
  write_bytes(output() / ".staging/model/half", "half");
  leave("a");
  EXPECT_EQ(files_below(output()), (FileBytes{{"model/a", "a"}, {"summary.json", "a"}}));
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
    EXPECT_TRUE(fs::exists(output() / ".staging"));
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
