#include "io/label_names.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"

namespace evenkeel {
namespace {

LabelNames names_of(const std::string& config, Index count) {
  return {JsonReader("config.json", nlohmann::ordered_json::parse(config)), count};
}

TEST(LabelNamesTest, WithoutNamesTheyAreThoseOfTransformers) {
  const LabelNames names = names_of("{}", 3);
  EXPECT_EQ(names.count(), 3);
  EXPECT_EQ(names.name(2), "LABEL_2");
  EXPECT_EQ(names.named("LABEL_1"), 1);
  EXPECT_FALSE(names.named("LABEL_3"));
  EXPECT_FALSE(names.named(""));
}

TEST(LabelNamesTest, EitherMappingDoes) {
  for (const char* config :
       {R"({"id2label": {"1": "good", "0": "bad"}})", R"({"label2id": {"good": 1, "bad": 0}})",
        R"({"id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1}})",
        R"({"id2label": null, "label2id": {"bad": 0, "good": 1}})"}) {
    const LabelNames names = names_of(config, 2);
    EXPECT_EQ(names.name(0), "bad") << config;
    EXPECT_EQ(names.named("good"), 1) << config;
  }
}

TEST(LabelNamesTest, WrongMappings) {
  struct Case {
    const char* config;
    const char* key;
    const char* fault;
  };
  for (const Case& wrong : {
           Case{R"({"id2label": [1]})", "id2label", "expected an object"},
           Case{R"({"id2label": {"0": "a", "2": "b"}})", "id2label", "none of the classes 0 to 1"},
           Case{R"({"id2label": {"0": "a", "x": "b"}})", "id2label", "none of the classes"},
           Case{R"({"id2label": {"0": "a", "-1": "b"}})", "id2label", "none of the classes"},
           Case{R"({"id2label": {"0": "a", "1": "a"}})", "id2label", "'a' names two classes"},
           Case{R"({"id2label": {"0": "a", "00": "b"}})", "id2label", "class 0 has two names"},
           Case{R"({"id2label": {"0": "a", "1": 7}})", "id2label", "expected a name"},
           Case{R"({"id2label": {"0": "a", "1": ""}})", "id2label", "or none"},
           Case{R"({"id2label": {"0": "a"}})", "id2label", "class 1 of 2 has no name"},
           Case{R"({"label2id": {"a": 0, "b": 0}})", "label2id", "class 0 has two names"},
           Case{R"({"label2id": {"a": 0, "b": 1.5}})", "label2id", "'b' is none"},
           Case{R"({"label2id": {"a": 0, "b": 18446744073709551615}})", "label2id", "'b' is none"},
           Case{R"({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 1, "b": 0}})", "label2id",
                "contradicts 'id2label'"},
       }) {
    SCOPED_TRACE(wrong.config);
    support::expect_error<InputError>([&] { names_of(wrong.config, 2); }, "config.json",
                                      {wrong.key, wrong.fault});
  }
}

}  // namespace
}  // namespace evenkeel
