#include "calib/finished_rows.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "io/content_hash.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using support::read_bytes;
using support::write_bytes;

class FinishedRowsTest : public testing::Test {
 protected:
  static Json row(std::size_t number) {
    return {
        {"row", number}, {"value", 0.1 * static_cast<double>(number)}, {"text", "\n\"\xC3\xA9"}};
  }
  std::filesystem::path folder() const { return output_.staging() / "rows"; }
  std::filesystem::path file() const { return folder() / "3.json"; }

  support::ScratchFolder scratch_;
  OutputFolder output_{scratch_ / "out", Leftovers::keep};
  FinishedRows rows_{output_};
};

TEST_F(FinishedRowsTest, WhatIsKeptIsFound) {
  EXPECT_FALSE(rows_.any());
  EXPECT_FALSE(rows_.find(3));
  rows_.keep(3, row(3));
  EXPECT_TRUE(rows_.any());
  EXPECT_EQ(rows_.find(3), row(3));
  EXPECT_FALSE(rows_.find(0));
  EXPECT_FALSE(rows_.find(30));
  EXPECT_EQ(FinishedRows(output_).find(3), row(3));  // a later attempt's
  rows_.keep(3, row(4));
  EXPECT_EQ(rows_.find(3), row(4));
}

TEST_F(FinishedRowsTest, ADamagedRowIsNone) {
  rows_.keep(3, row(3));
  const std::string bytes = read_bytes(file());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_bytes(file(), bytes.substr(0, size));
    EXPECT_FALSE(rows_.find(3)) << "cut after " << size;
    std::string changed = bytes;
    changed[size] = static_cast<char>(changed[size] ^ 1);
    write_bytes(file(), changed);
    EXPECT_FALSE(rows_.find(3)) << "changed at " << size;
  }
  write_checked_text(file(), "{\"row\": 3");  // as it was written, but no JSON
  EXPECT_FALSE(rows_.find(3));
  EXPECT_TRUE(rows_.any());
  rows_.keep(3, row(3));
  EXPECT_EQ(rows_.find(3), row(3));
}

TEST_F(FinishedRowsTest, AreKeptFromSeveralThreads) {
  constexpr std::size_t count = 64;
  constexpr std::size_t workers = 8;
  {
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      threads.emplace_back([&, worker] {
        for (std::size_t i = worker; i < count; i += workers) rows_.keep(i, row(i));
      });
    }
  }
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(rows_.find(i), row(i)) << i;
}

TEST_F(FinishedRowsTest, APlaceThatCannotBeWrittenIsSaid) {
  write_bytes(folder(), "a file");
  support::expect_error<MachineError>([&] { rows_.keep(3, row(3)); }, folder(), {});
  EXPECT_FALSE(rows_.find(3));
}

}  // namespace
}  // namespace evenkeel
