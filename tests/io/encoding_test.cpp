#include "io/encoding.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Kind = EncodingPart::Kind;

const EncodingTemplate bert_pair = {{Kind::special_token, 0, 101},
                                    {Kind::first_text, 0},
                                    {Kind::special_token, 0, 102},
                                    {Kind::second_text, 1},
                                    {Kind::special_token, 1, 102}};

TEST(Encoding, PartsFollowTheTemplateWithTheirTypes) {
  const Encoding made = put_together(bert_pair, {7, 8}, {9});
  EXPECT_EQ(made.ids, (Tokens{101, 7, 8, 102, 9, 102}));
  EXPECT_EQ(made.types, (Tokens{0, 0, 0, 0, 1, 1}));
  const Encoding empty = put_together(bert_pair, {}, {});
  EXPECT_EQ(empty.ids, (Tokens{101, 102, 102}));
  EXPECT_EQ(empty.types, (Tokens{0, 0, 1}));
}

TEST(Encoding, TheOrderIsTheTemplates) {
  const Encoding made = put_together({{Kind::second_text, 2}, {Kind::first_text, 3}}, {7}, {9});
  EXPECT_EQ(made.ids, (Tokens{9, 7}));
  EXPECT_EQ(made.types, (Tokens{2, 3}));
}

TEST(Encoding, SpecialTokensTakeTheirRoom) {
  EXPECT_EQ(room_for_texts(bert_pair, 10), 7U);
  EXPECT_EQ(room_for_texts(bert_pair, 3), 0U);
  EXPECT_EQ(room_for_texts(bert_pair, SIZE_MAX), SIZE_MAX - 3);
  try {
    room_for_texts(bert_pair, 2);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "at most 2 ids were asked for, but the tokenizer's special tokens alone are 3; "
                 "allow more");
  }
}

// One id at a time off the longer text, as the name says; between equals, off the first, unless it
// was the longer one to begin with.
void truncate_slowly(Tokens& first, Tokens& second, std::size_t room) {
  const bool first_is_longer = first.size() > second.size();
  while (first.size() + second.size() > room) {
    const bool off_first =
        first.size() == second.size() ? !first_is_longer : first.size() > second.size();
    (off_first ? first : second).pop_back();
  }
}

Tokens counted(std::size_t size) {
  Tokens ids(size);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(Encoding, TheLongerTextIsTruncatedFirst) {
  for (std::size_t first = 0; first < 8; ++first) {
    for (std::size_t second = 0; second < 8; ++second) {
      for (std::size_t room = 0; room < 17; ++room) {
        Tokens first_ids = counted(first);
        Tokens second_ids = counted(second);
        truncate_longest_first(first_ids, second_ids, room);
        Tokens first_expected = counted(first);
        Tokens second_expected = counted(second);
        truncate_slowly(first_expected, second_expected, room);
        EXPECT_EQ(first_ids, first_expected) << first << " " << second << " " << room;
        EXPECT_EQ(second_ids, second_expected) << first << " " << second << " " << room;
      }
    }
  }
}

}  // namespace
}  // namespace evenkeel
