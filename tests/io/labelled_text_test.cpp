#include "io/labelled_text.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/text_lines.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

class LabelledTextTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) const {
    support::write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  std::vector<LabelledText> read(const std::string& name, const std::string& bytes,
                                 std::optional<std::int64_t> limit = std::nullopt) const {
    return read_labelled_texts(file(name, bytes), &labels_, limit);
  }
  void expect_fault(const std::string& name, const std::string& bytes, const std::string& where,
                    std::initializer_list<std::string_view> parts) const {
    SCOPED_TRACE(bytes.substr(0, 80));
    support::expect_error<InputError>([&] { read(name, bytes); }, folder_ / (name + where), parts);
  }

  support::ScratchFolder folder_;
  LabelNames labels_{
      JsonReader("config.json", {{"id2label", {{"0", "bad"}, {"1", "good"}, {"2", "0"}}}}), 3};
};

TEST_F(LabelledTextTest, TsvAsGlueDistributesIt) {
  const auto texts = read("dev.tsv", "sentence\tlabel\nit 's \"fine\" \t1\n\nbad film\t0\n");
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].text, "it 's \"fine\" ");
  EXPECT_FALSE(texts[0].pair);
  EXPECT_EQ(texts[0].label, 1);
  EXPECT_EQ(texts[0].line, 2U);
  EXPECT_EQ(texts[1].label, 2);  // class 2 is named 0, and a name wins
  EXPECT_EQ(texts[1].line, 4U);
}

TEST_F(LabelledTextTest, HeadersOfTheTasks) {
  struct Case {
    const char* header;
    const char* row;
    const char* first;
    const char* second;
  };
  for (const Case& task : {
           Case{"index\tsentence1\tsentence2\tlabel", "7\ta\tb\tgood", "a", "b"},
           Case{"index\tquestion\tsentence\tlabel", "7\ta\tb\tgood", "a", "b"},
           Case{"id\tqid1\tquestion1\tquestion2\tis_duplicate", "7\t8\ta\tb\t1", "a", "b"},
           Case{"Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", "1\t7\t8\ta\tb", "a", "b"},
           Case{"sentence2\tlabel1\tsentence1\tgold_label", "b\tbad\ta\tgood", "a", "b"},
           Case{"text\tlabel", "a\t1", "a", ""},
           Case{"label\tsentence", "good\ta", "a", ""},
       }) {
    SCOPED_TRACE(task.header);
    const auto texts = read("a.tsv", std::string(task.header) + "\r\n" + task.row + "\r\n");
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_EQ(texts[0].text, task.first);
    EXPECT_EQ(texts[0].pair.value_or(""), task.second);
    EXPECT_EQ(texts[0].label, 1);
  }
}

TEST_F(LabelledTextTest, JsonLines) {
  const auto texts = read("a.jsonl",
                          "\xEF\xBB\xBF{\"text\": \"a\\tb\", \"label\": 1}\n\n"
                          "{\"label\": \"0\", \"text\": \"c\", \"text_pair\": \"d\"}");
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].text, "a\tb");
  EXPECT_EQ(texts[0].label, 1);
  EXPECT_EQ(texts[1].label, 2);
  EXPECT_EQ(texts[1].pair, "d");
  EXPECT_EQ(texts[1].line, 3U);
}

TEST_F(LabelledTextTest, WithoutLabelsTheyAreNotLookedAt) {
  const auto texts = [&](const std::string& name, const std::string& bytes) {
    return read_labelled_texts(file(name, bytes), nullptr);
  };
  EXPECT_EQ(texts("a.txt", "one\r\n \ntwo").at(1).text, "two");
  EXPECT_EQ(texts("a.tsv", "sentence\tlabel\na\tnonsense\n").at(0).label, -1);
  EXPECT_EQ(texts("a.tsv", "sentence\na\n").at(0).text, "a");
  EXPECT_EQ(texts("a.jsonl", "{\"text\": \"a\", \"label\": []}").at(0).text, "a");
}

TEST_F(LabelledTextTest, FirstOnesUpToALimitWithEveryLineChecked) {
  EXPECT_EQ(read("a.tsv", "sentence\tlabel\na\t1\nb\t1\nc\t1\n", 2).size(), 2U);
  EXPECT_EQ(read("a.tsv", "sentence\tlabel\na\t1\n", 2).size(), 1U);
  EXPECT_THROW(read("a.tsv", "sentence\tlabel\na\t1\nb\t1\nc\n", 2), InputError);
}

// RTE and QNLI have names, which a config.json from fine-tuning often lacks.
TEST_F(LabelledTextTest, NamesOfClassesThatAreOnlyNumberedSayWhereToWriteThem) {
  const auto expect_remedy = [&](const nlohmann::ordered_json& config) {
    const LabelNames labels(JsonReader("config.json", config), 2);
    const auto path = file("dev.tsv",
                           "index\tsentence1\tsentence2\tlabel\n"
                           "0\ta\tb\t1\n1\ta\tb\tnot_entailment\n");
    support::expect_error<InputError>([&] { read_labelled_texts(path, &labels); },
                                      folder_ / "dev.tsv:3",
                                      {"label 'not_entailment' is unknown",
                                       "config.json only has LABEL_0, LABEL_1", "under id2label"});
    EXPECT_THROW(
        read_labelled_texts(file("a.jsonl", R"({"text": "a", "label": "entailment"})"), &labels),
        InputError);
  };
  expect_remedy(nlohmann::ordered_json::object());
  expect_remedy({{"id2label", {{"0", "LABEL_0"}, {"1", "LABEL_1"}}}});

  const LabelNames named(
      JsonReader("config.json", {{"id2label", {{"0", "entailment"}, {"1", "not_entailment"}}}}), 2);
  EXPECT_EQ(read_labelled_texts(folder_ / "dev.tsv", &named).at(1).label, 1);
}

TEST_F(LabelledTextTest, FaultsNameFileLineAndRemedy) {
  expect_fault("a.tsv", "phrase\tlabel\na\t1\n", ":1", {"no column of text", "'sentence'"});
  expect_fault("a.tsv", "sentence\tscore\na\t1\n", ":1", {"no column of labels", "'label'"});
  expect_fault("a.tsv", "sentence\tlabel\na\t1\tb\n", ":2", {"3 columns, but the header has 2"});
  expect_fault("a.tsv", "sentence\tlabel\na 1\n", ":2", {"1 columns", "one tab"});
  expect_fault("a.tsv", "sentence\tlabel\na\tugly\n", ":2",
               {"label 'ugly' is unknown", "bad, good, 0 (id2label); use these names"});
  expect_fault("a.tsv", "sentence\tlabel\na\t\n", ":2", {"label '' is unknown"});
  expect_fault("a.tsv", "sentence\tlabel\na\t3\n", ":2", {"label 3", "classes 0 to 2"});
  expect_fault("a.tsv", "sentence\tlabel\na\t-1\n", ":2", {"label -1", "classes 0 to 2"});
  expect_fault("a.tsv", "sentence\tlabel\na\t99999999999999999999\n", ":2", {"is unknown"});
  expect_fault("a.tsv", "sentence\tlabel\n", "", {"holds no text"});
  expect_fault("a.tsv", "", "", {"holds no text"});
  expect_fault("a.jsonl", "\n \n", "", {"holds no text"});
  expect_fault("a.tsv", "sentence\tlabel\n\xFF\t1\n", ":2", {"not valid UTF-8 at byte 0"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\"}\n", ":2",
               {"'label' is missing"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"label\": 1.0}", ":1", {"an integer or a name"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"label\": null}", ":1", {"an integer or a name"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"label\": \"1\"}", ":1", {"label '1' is unknown"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"label\": 18446744073709551615}", ":1",
               {"label 18446744073709551615", "classes 0 to 2"});
  expect_fault("a.jsonl", "{\"label\": 1}", ":1", {"'text' is missing"});
  expect_fault("a.jsonl", "{\"text\": \"a\", \"text_pair\": 2, \"label\": 1}", ":1",
               {"'text_pair'"});
  expect_fault("a.txt", "a\n", "", {"text without labels", ".tsv"});
  expect_fault("a.csv", "a\n", "", {"unknown kind of texts '.csv'", ".tsv"});
  expect_fault("a.tsv", "sentence\tlabel\n" + std::string(longest_line, 'a') + "\t1\n", ":2",
               {"1048578 bytes is longer than 1048576"});
  support::expect_error<InputError>([&] { read_labelled_texts(folder_ / "no.tsv", &labels_); },
                                    folder_ / "no.tsv", {});
}

TEST_F(LabelledTextTest, AnyTruncationIsReadOrRefused) {
  const std::string whole = "sentence\tlabel\n\xC3\xA9 a\tgood\r\nb\t1\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      EXPECT_LE(read("a.tsv", whole.substr(0, size)).size(), 2U);
    } catch (const InputError&) {
    }
  }
}

TEST_F(LabelledTextTest, ColaHasNoHeader) {
  const auto texts = read("dev.tsv", "gj04\t1\t\tThe ship sank.\ngj04\t0\t*\tSank ship.\n");
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].text, "The ship sank.");
  EXPECT_EQ(texts[0].label, 1);
  EXPECT_EQ(texts[0].line, 1U);
  EXPECT_EQ(texts[1].text, "Sank ship.");
  EXPECT_FALSE(texts[1].pair);
  expect_fault("dev.tsv", "gj04\t1\t\tThe ship sank.\ngj04\tx\t\tSank.\n", ":2", {"'x'"});
  expect_fault("dev.tsv", "gj04\t1\t\tThe ship sank.\ngj04\t1\tSank.\n", ":2", {"3 columns"});
  expect_fault("dev.tsv", "gj04\t2\t\tThe ship sank.\n", ":1", {"no column of text"});
}

TEST_F(LabelledTextTest, ValuesOfStsB) {
  const auto valued = [&](const std::string& name, const std::string& bytes) {
    return read_valued_texts(file(name, bytes));
  };
  const auto texts = valued("dev.tsv",
                            "index\tgenre\tsentence1\tsentence2\tscore\n"
                            "0\tnews\ta\tb\t3.750\n1\tnews\tc\td\t-1\n");
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].value, 3.75);
  EXPECT_EQ(texts[0].pair, "b");
  EXPECT_EQ(texts[1].value, -1.0);
  EXPECT_EQ(valued("a.jsonl", R"({"text": "a", "label": 2})").at(0).value, 2.0);
  EXPECT_EQ(valued("a.jsonl", R"({"text": "a", "score": 0.5})").at(0).value, 0.5);
  for (const char* bad : {"", "x", "1e999", "nan", "inf", "1,5", "2 "}) {
    support::expect_error<InputError>(
        [&] { valued("a.tsv", std::string("sentence\tscore\na\t") + bad + "\n"); },
        folder_ / "a.tsv:2", {"expected a number"});
  }
  support::expect_error<InputError>([&] { valued("a.tsv", "sentence\tother\na\t1\n"); },
                                    folder_ / "a.tsv:1", {"no column of values", "'score'"});
  support::expect_error<InputError>([&] { valued("a.jsonl", R"({"text": "a"})"); },
                                    folder_ / "a.jsonl:1", {"'score' is missing"});
  support::expect_error<InputError>([&] { valued("a.jsonl", R"({"text": "a", "score": "1"})"); },
                                    folder_ / "a.jsonl:1", {"expected a number"});
}

}  // namespace
}  // namespace evenkeel
