#include "io/strict_json.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using support::expect_error;

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

// nlohmann's own parser is the reference for what is valid.
TEST(StrictJsonTest, BuildsWhatTheLibraryBuilds) {
  for (const std::string text :
       {R"({"z": 1, "a": {"y": [], "x": {}}, "m": [1, -2, 3.5, true, false, null, "t", [[{}]]]})",
        R"([])", R"("text")", R"(-0.0)", R"(18446744073709551615)", R"( {"a" : "\u00f6\n"} )",
        R"({"":{"":{"":[{"":1},{"":2}]}}})"}) {
    const Json parsed = parse_json("a.json", text);
    EXPECT_EQ(parsed, Json::parse(text)) << text;
    EXPECT_EQ(parsed.dump(), Json::parse(text).dump()) << "order of keys";
  }
}

TEST(StrictJsonTest, ManyKeysTakeLinearTime) {
  // Quadratic time over this many keys would be minutes, and the test would not end.
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i) text += "\"key" + std::to_string(i) + "\":" + "1,";
  text.back() = '}';
  EXPECT_EQ(parse_json("a.json", text).size(), 300'000U);
}

TEST(StrictJsonTest, ADuplicateKeyIsAnError) {
  for (const std::string text : {R"({"a": 1, "b": 2, "a": 3})", R"([{"x": {"a": 1, "a": 1}}])",
                                 R"({"a": {"k": 1}, "a": {"k": 1}})"}) {
    expect_error<InputError>([&] { parse_json("f.json", text); }, "f.json", {"'a' twice"});
  }
  EXPECT_NO_THROW(parse_json("f.json", R"({"a": {"a": [{"a": 1}, {"a": 2}]}})"));
}

TEST(StrictJsonTest, NestingIsBounded) {
  EXPECT_NO_THROW(parse_json("f.json", nested(256, "[", "]")));
  EXPECT_NO_THROW(parse_json("f.json", nested(256, R"({"a":)", "}")));
  for (const std::size_t depth : {std::size_t{257}, std::size_t{1'000'000}}) {
    expect_error<InputError>([&] { parse_json("f.json", nested(depth, "[", "]")); }, "f.json",
                             {"nested deeper than 256"});
    expect_error<InputError>([&] { parse_json("f.json", nested(depth, R"({"a":)", "}")); },
                             "f.json", {"nested deeper than 256"});
  }
}

TEST(StrictJsonTest, ASyntaxErrorNamesItsByte) {
  expect_error<InputError>([] { parse_json("f.json", R"({"a": nope})"); }, "f.json",
                           {"byte 8", "not valid JSON", "line 1, column 8"});
  expect_error<InputError>([] { parse_json("f.json", R"({"a": nope})", 1000); }, "f.json",
                           {"byte 1008"});
  for (const std::string text : {"", " ", "{", "[1,]", "{} {}", "{'a': 1}", "NaN", "1e999",
                                 R"("\ud800")", "\"a\nb\"", "\"", "// c", "tru"}) {
    expect_error<InputError>([&] { parse_json("f.json", text); }, "f.json", {"not valid JSON"});
  }
}

TEST(StrictJsonTest, TextThatIsNotUtf8IsAnError) {
  for (const std::string bytes : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    expect_error<InputError>([&] { parse_json("f.json", R"({"a": ")" + bytes + R"("})"); },
                             "f.json", {"not valid JSON", "byte"});
    expect_error<InputError>([&] { parse_json("f.json", bytes); }, "f.json", {"not valid JSON"});
  }
}

TEST(StrictJsonTest, ANulByteDoesNotHideWhatFollows) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"{}\0"sv, "{}\0garbage"sv, "{\0}"sv, "{\"a\0\": 1}"sv}) {
    expect_error<InputError>([&] { parse_json("f.json", text, 10); }, "f.json",
                             {fmt::format("byte {}:", 10 + text.find('\0')), "NUL"});
  }
}

TEST(StrictJsonTest, EveryTruncationIsAnError) {
  const std::string text = R"({"a": [1, {"b": "text", "c": null}], "d": -1.5e3, "e": true})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_THROW(parse_json("f.json", text.substr(0, size)), InputError) << size;
  }
}

}  // namespace
}  // namespace evenkeel
