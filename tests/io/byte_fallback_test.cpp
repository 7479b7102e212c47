#include "io/byte_fallback.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(ByteFallback, SpellsAllBytesOrNone) {
  Vocabulary vocabulary;
  vocabulary.add("<0xC3>", 4, "t");
  vocabulary.add("<0xA9>", 7, "t");
  const ByteFallback bytes(vocabulary);
  Tokens ids = {1};
  EXPECT_TRUE(bytes.append_ids("éé", ids));
  EXPECT_EQ(ids, (Tokens{1, 4, 7, 4, 7}));
  EXPECT_FALSE(bytes.append_ids("éß", ids));
  EXPECT_EQ(ids, (Tokens{1, 4, 7, 4, 7}));
}

}  // namespace
}  // namespace evenkeel
