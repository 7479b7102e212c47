#include "io/vocabulary.h"

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

TEST(Vocabulary, FindsWhatWasAdded) {
  Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.size(), 0);
  vocabulary.add("a", 3, "here");
  vocabulary.add("", 0, "here");
  EXPECT_EQ(vocabulary.find("a"), 3);
  EXPECT_EQ(vocabulary.find(""), 0);
  EXPECT_EQ(vocabulary.find("b"), std::nullopt);
  EXPECT_EQ(vocabulary.size(), 4);
  EXPECT_EQ(vocabulary.tokens(), 2U);
}

TEST(Vocabulary, RefusesTwoTokensOfOneIdAndTwoIdsOfOneToken) {
  Vocabulary vocabulary;
  vocabulary.add("a", 3, "here");
  EXPECT_NO_THROW(vocabulary.add("a", 3, "here"));
  EXPECT_THROW(vocabulary.add("b", 3, "here"), InputError);
  EXPECT_THROW(vocabulary.add("a", 4, "here"), InputError);
}

}  // namespace
}  // namespace evenkeel
