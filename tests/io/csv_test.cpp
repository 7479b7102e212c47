#include "io/csv.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Fields = std::vector<std::string>;

std::vector<CsvRow> read(const support::ScratchFolder& folder, const std::string& bytes) {
  support::write_bytes(folder / "a.csv", bytes);
  return read_csv(folder / "a.csv");
}

TEST(Csv, FieldsAndLines) {
  const support::ScratchFolder folder;
  const auto rows = read(folder,
                         "\xEF\xBB\xBF"
                         "a,b\r\n\n\"x, \"\"y\"\"\nz\",\r\n,\"\"\nsaid \"so\",1");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].fields, (Fields{"a", "b"}));
  EXPECT_EQ(rows[1].fields, (Fields{"x, \"y\"\nz", ""}));
  EXPECT_EQ(rows[2].fields, (Fields{"", ""}));
  EXPECT_EQ(rows[3].fields, (Fields{"said \"so\"", "1"}));
  EXPECT_EQ(rows[1].line, 3U);
  EXPECT_EQ(rows[3].line, 6U);
  EXPECT_TRUE(read(folder, "").empty());
}

TEST(Csv, WhatIsMalformedIsRefused) {
  const support::ScratchFolder folder;
  const auto expect_fault = [&](const std::string& bytes, const std::string& where,
                                std::string_view part) {
    support::expect_error<InputError>([&] { read(folder, bytes); }, folder / ("a.csv" + where),
                                      {part});
  };
  expect_fault("a\n\"b\nc", ":2", "not closed");
  expect_fault("a\n\"", ":2", "not closed");
  expect_fault("a\n\"b\"c,d\n", ":2", "closing quote");
  expect_fault("a\nb\xFF\n", ":2", "UTF-8");
}

}  // namespace
}  // namespace evenkeel
