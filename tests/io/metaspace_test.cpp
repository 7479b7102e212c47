#include "io/metaspace.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

Strings words(const Json& changes, std::string_view text, bool opens = true) {
  Json settings = {{"replacement", "▁"}};
  settings.update(changes);
  Strings found;
  make_metaspace(ComponentSettings("t", settings))
      ->split({text, opens}, [&found](const Word& word) {
        found.emplace_back(word.text);
        return true;
      });
  return found;
}

TEST(Metaspace, BeginsAWordWithEachSpace) {
  EXPECT_EQ(words(Json::object(), "a b  c "), (Strings{"▁a", "▁b", "▁", "▁c", "▁"}));
  EXPECT_EQ(words(Json::object(), " a"), (Strings{"▁a"}));
  EXPECT_EQ(words(Json::object(), "▁a"), (Strings{"▁a"}));
  EXPECT_EQ(words({{"split", false}}, "a b"), (Strings{"▁a▁b"}));
}

TEST(Metaspace, PrependsByItsScheme) {
  EXPECT_EQ(words({{"prepend_scheme", "never"}}, "a b"), (Strings{"a", "▁b"}));
  EXPECT_EQ(words({{"prepend_scheme", "first"}}, "a b"), (Strings{"▁a", "▁b"}));
  EXPECT_EQ(words({{"prepend_scheme", "first"}}, "a b", false), (Strings{"a", "▁b"}));
  EXPECT_EQ(words({{"prepend_scheme", "always"}}, "a b", false), (Strings{"▁a", "▁b"}));
}

TEST(Metaspace, WrongSettingsAreFaults) {
  EXPECT_THROW(words({{"replacement", "ab"}}, "a"), InputError);
  EXPECT_THROW(words({{"replacement", ""}}, "a"), InputError);
  EXPECT_THROW(words({{"prepend_scheme", "last"}}, "a"), InputError);
  EXPECT_THROW(words({{"add_prefix_space", false}}, "a"), InputError);
  EXPECT_EQ(words({{"add_prefix_space", false}, {"prepend_scheme", "never"}}, "a"), Strings{"a"});
}

}  // namespace
}  // namespace evenkeel
