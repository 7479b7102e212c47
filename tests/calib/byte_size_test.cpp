#include "calib/byte_size.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(ParseByteSize, reads_digits_with_and_without_a_unit) {
  EXPECT_EQ(parse_byte_size("0"), 0U);
  EXPECT_EQ(parse_byte_size("1000000"), 1'000'000U);
  EXPECT_EQ(parse_byte_size("7B"), 7U);
  EXPECT_EQ(parse_byte_size("2GiB"), 2'147'483'648U);
  EXPECT_EQ(parse_byte_size("512 MiB"), 536'870'912U);
  EXPECT_EQ(parse_byte_size("3KiB"), 3'072U);
  EXPECT_EQ(parse_byte_size("1TiB"), 1'099'511'627'776U);
}

TEST(ParseByteSize, keeps_powers_of_1000_apart_from_powers_of_1024) {
  EXPECT_EQ(parse_byte_size("2kB"), 2'000U);
  EXPECT_EQ(parse_byte_size("2KB"), 2'000U);
  EXPECT_EQ(parse_byte_size("2MB"), 2'000'000U);
  EXPECT_EQ(parse_byte_size("2GB"), 2'000'000'000U);
  EXPECT_EQ(parse_byte_size("2 TB"), 2'000'000'000'000U);
}

TEST(ParseByteSize, takes_the_largest_number_and_nothing_beyond) {
  EXPECT_EQ(parse_byte_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(parse_byte_size("18446744073709551616"));
  EXPECT_EQ(parse_byte_size("17179869183GiB"), 17'179'869'183U * (std::uint64_t{1} << 30U));
  EXPECT_FALSE(parse_byte_size("17179869184GiB"));
}

TEST(ParseByteSize, refuses_every_other_spelling) {
  for (const char* text : {"", " ", "GiB", " 2GiB", "2GiB ", "2  GiB", "2 ", "2G", "2gib", "2GIB",
                           "-2GiB", "+2GiB", "1.5GiB", "1e9", "0x10", "2GiB2", "2,000", "2\tGiB"}) {
    EXPECT_FALSE(parse_byte_size(text)) << "'" << text << "'";
  }
}

TEST(ByteSizeText, rounds_to_one_decimal_of_the_largest_unit) {
  EXPECT_EQ(byte_size_text(0), "0 B");
  EXPECT_EQ(byte_size_text(1023), "1023 B");
  EXPECT_EQ(byte_size_text(1024), "1.0 KiB");
  EXPECT_EQ(byte_size_text(1536), "1.5 KiB");
  EXPECT_EQ(byte_size_text((std::uint64_t{1} << 20U) - 1), "1.0 MiB");
  EXPECT_EQ(byte_size_text(std::uint64_t{2} << 30U), "2.0 GiB");
  EXPECT_EQ(byte_size_text(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

}  // namespace
}  // namespace evenkeel
