#include "calib/progress_log.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/file.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

class Shown final : public Progress {
 public:
  void step(std::string_view task, int done, int /*total*/, std::string_view /*detail*/) override {
    lines.push_back(std::string(task) + " " + std::to_string(done));
  }
  void note(std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

TEST(ProgressLog, WritesWhatItPassesOn) {
  const support::ScratchFolder folder;
  Shown shown;
  {
    ProgressLog log(shown, folder / "job.log");
    log.step("calibrate", 1, 2, "block 1");
    log.note("two\nlines");
    // Written at once, not when the log ends.
    EXPECT_NE(read_text(folder / "job.log").find(" calibrate 1/2: block 1\n"), std::string::npos);
  }
  ProgressLog again(shown, folder / "job.log");
  again.step("calibrate", 2, 2, "finish");
  EXPECT_EQ(shown.lines, (std::vector<std::string>{"calibrate 1", "two\nlines", "calibrate 2"}));
  const std::string text = read_text(folder / "job.log");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);  // a note is one line; runs append
  EXPECT_LT(text.find("calibrate 1/2"), text.find("calibrate 2/2: finish"));
}

TEST(ProgressLog, IsOptional) {
  Shown shown;
  ProgressLog log(shown, {});
  log.step("evaluate", 0, 1, "");
  EXPECT_EQ(shown.lines.size(), 1U);
}

TEST(ProgressLog, SaysWhereItCannotBeOpened) {
  const support::ScratchFolder folder;
  write_text(folder / "file", "x");
  Shown shown;
  EXPECT_THROW(ProgressLog(shown, folder / "file" / "job.log"), MachineError);
}

}  // namespace
}  // namespace evenkeel
