#include "io/json_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

using support::expect_error;
using support::ScratchFolder;

JsonReader reader(const std::string& text) {
  return {"config.json", nlohmann::ordered_json::parse(text)};
}

TEST(JsonReaderTest, ReadsEachType) {
  const JsonReader config = reader(R"({"size": 2147483647, "offset": -3, "rate": 0.5, "on": true,
                                       "kind": "opt", "rope": {"factor": 8, "deep": {"k": "v"}}})");
  EXPECT_EQ(config.positive("size"), 2147483647);
  EXPECT_EQ(config.positive("size", 1), 2147483647);
  EXPECT_EQ(config.integer("offset", 0), -3);
  EXPECT_EQ(config.number("rate", 0), 0.5);
  EXPECT_EQ(config.number("rope.factor", 0), 8.0);
  EXPECT_TRUE(config.boolean("on", false));
  EXPECT_EQ(config.text("kind"), "opt");
  EXPECT_EQ(config.text("rope.deep.k", "x"), "v");
  EXPECT_TRUE(config.has("rope.deep"));
}

TEST(JsonReaderTest, AnAbsentOrNullKeyTakesTheDefault) {
  const JsonReader config = reader(R"({"none": null, "outer": {"none": null}})");
  for (const char* key : {"absent", "none", "none.x", "outer.absent", "outer.none", "outer.none.x",
                          "", ".", "outer."}) {
    EXPECT_FALSE(config.has(key)) << key;
    EXPECT_EQ(config.positive(key, 5), 5) << key;
    EXPECT_EQ(config.integer(key, -5), -5) << key;
    EXPECT_EQ(config.number(key, 2.5), 2.5) << key;
    EXPECT_TRUE(config.boolean(key, true)) << key;
    EXPECT_EQ(config.text(key, "default"), "default") << key;
  }
}

TEST(JsonReaderTest, AnAbsentKeyWithoutDefaultIsAnError) {
  const JsonReader config = reader(R"({"none": null})");
  for (const char* key : {"absent", "none"}) {
    expect_error<InputError>([&] { config.positive(key); }, "config.json",
                             {key, "is missing", "a positive integer"});
    expect_error<InputError>([&] { config.text(key); }, "config.json",
                             {key, "is missing", "a string"});
  }
}

TEST(JsonReaderTest, AWrongTypeIsAnErrorWithAndWithoutDefault) {
  const JsonReader config = reader(
      R"({"text": "x\ny", "zero": 0, "negative": -1, "big": 2147483648, "real": 1.5, "list": [1, 2],
          "object": {}, "huge": 18446744073709551615, "flag": true})");
  expect_error<InputError>([&] { config.positive("text"); }, "config.json",
                           {R"('text': expected a positive integer below 2^31, got "x\ny")"});
  for (const char* key : {"zero", "negative", "big", "real", "list", "object", "huge", "flag"}) {
    EXPECT_THROW(config.positive(key), InputError) << key;
    EXPECT_THROW(config.positive(key, 1), InputError) << key;
    EXPECT_THROW(config.text(key), InputError) << key;
    EXPECT_THROW(config.text(key, ""), InputError) << key;
  }
  expect_error<InputError>([&] { config.integer("real", 0); }, "config.json",
                           {"'real': expected an integer, got 1.5"});
  expect_error<InputError>([&] { config.integer("huge", 0); }, "config.json",
                           {"got 18446744073709551615"});
  expect_error<InputError>([&] { config.number("list", 0); }, "config.json",
                           {"expected a number, got an array of 2"});
  expect_error<InputError>([&] { config.boolean("zero", false); }, "config.json",
                           {"'zero': expected true or false, got 0"});
  expect_error<InputError>([&] { config.text("object", ""); }, "config.json",
                           {"expected a string, got an object"});
  expect_error<InputError>([&] { config.has("text.inner"); }, "config.json",
                           {"'text': expected an object, got"});
}

TEST(JsonReaderTest, AFileThatIsNoObjectIsAnError) {
  const ScratchFolder folder;
  const auto path = folder / "config.json";
  expect_error<InputError>([&] { JsonReader{path}; }, path, {"No such file"});
  for (const char* text : {"[]", "1", "null", "\"text\""}) {
    support::write_bytes(path, text);
    expect_error<InputError>([&] { JsonReader{path}; }, path, {"expected a JSON object"});
  }
  support::write_bytes(path, R"({"a": 1, "a": 2})");
  expect_error<InputError>([&] { JsonReader{path}; }, path, {"'a' twice"});
  support::write_bytes(path, "");
  expect_error<InputError>([&] { JsonReader{path}; }, path, {"not valid JSON", "byte"});
}

TEST(JsonReaderTest, ReadsARealConfiguration) {
  EVENKEEL_NEEDS_SHARED("models/opt-3m/config.json");
  const JsonReader config(support::shared_file("models/opt-3m/config.json"));
  EXPECT_EQ(config.positive("hidden_size"), 192);
  EXPECT_EQ(config.text("model_type"), "opt");
  EXPECT_TRUE(config.boolean("do_layer_norm_before", false));
}

}  // namespace
}  // namespace evenkeel
