#include "io/text_lines.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Lines = std::vector<std::pair<std::size_t, std::string>>;

Lines read(const support::ScratchFolder& folder, const std::string& bytes) {
  support::write_bytes(folder / "a.txt", bytes);
  Lines lines;
  for_each_line(folder / "a.txt", [&](const TextLine& line) {
    EXPECT_EQ(bytes.substr(line.offset, line.text.size()), line.text);
    lines.emplace_back(line.number, line.text);
  });
  return lines;
}

TEST(TextLines, BlankOnesAreSkippedAndCounted) {
  const support::ScratchFolder folder;
  EXPECT_EQ(read(folder, "\xEF\xBB\xBFone\r\n\n \t\n two \nthree"),
            (Lines{{1, "one"}, {4, " two "}, {5, "three"}}));
  EXPECT_TRUE(read(folder, "").empty());
  EXPECT_TRUE(read(folder, "\xEF\xBB\xBF\r\n").empty());
}

TEST(TextLines, FaultsSayWhere) {
  const support::ScratchFolder folder;
  support::expect_error<InputError>([&] { read(folder, "a\nb\xC3\n"); }, folder / "a.txt:2",
                                    {"UTF-8 at byte 1"});
  support::expect_error<InputError>(
      [&] { read(folder, "a\n" + std::string(longest_line + 1, 'x')); }, folder / "a.txt:2",
      {"longer than 1048576"});
  EXPECT_EQ(read(folder, std::string(longest_line, 'x')).size(), 1U);
  support::expect_error<InputError>([&] { for_each_line(folder / "b.txt", [](const auto&) {}); },
                                    folder / "b.txt", {});
}

}  // namespace
}  // namespace evenkeel
