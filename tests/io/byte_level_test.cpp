#include "io/byte_level.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// Values of bytes_to_unicode() in the published code of GPT-2.
TEST(ByteLevel, SymbolsAreThoseOfGpt2) {
  EXPECT_EQ(byte_level_symbol(0x00), "Ā");
  EXPECT_EQ(byte_level_symbol('\n'), "Ċ");
  EXPECT_EQ(byte_level_symbol(' '), "Ġ");
  EXPECT_EQ(byte_level_symbol('!'), "!");
  EXPECT_EQ(byte_level_symbol('~'), "~");
  EXPECT_EQ(byte_level_symbol(0x7F), "ġ");
  EXPECT_EQ(byte_level_symbol(0xA0), "ł");
  EXPECT_EQ(byte_level_symbol(0xA1), "¡");
  EXPECT_EQ(byte_level_symbol(0xAD), "Ń");
  EXPECT_EQ(byte_level_symbol(0xFF), "ÿ");
}

TEST(ByteLevel, EveryByteHasASymbolOfItsOwnAndComesBack) {
  std::set<std::string> symbols;
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    symbols.insert(byte_level_symbol(static_cast<std::uint8_t>(byte)));
    bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(symbols.size(), 256U);
  EXPECT_EQ(from_byte_level(to_byte_level(bytes)), bytes);
}

TEST(ByteLevel, OtherCharactersSpellNothing) {
  EXPECT_EQ(from_byte_level("a b"), std::nullopt);  // a space is no symbol
  EXPECT_EQ(from_byte_level("aŅ"), std::nullopt);   // U+0145, one beyond the last
  EXPECT_EQ(from_byte_level("日"), std::nullopt);
}

}  // namespace
}  // namespace evenkeel
