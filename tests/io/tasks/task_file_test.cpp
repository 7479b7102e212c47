#include "io/tasks/task_file.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

// One good line or file of each kind, to be broken.
constexpr const char* arc_line =
    R"({"id": "q", "question": {"stem": "Why?", "choices": [{"text": "so", "label": "A"}, {"text": "ça", "label": "B"}]}, "answerKey": "B"})";
constexpr const char* piqa_line = R"({"goal": "Go", "sol1": "walk", "sol2": "run fast"})";
constexpr const char* hellaswag_line =
    R"({"activity_label": "Cooking", "ctx_a": "[header] A man cooks.", "ctx_b": "HE then", "endings": ["eats [x] it", "sits [title]down", "runs"], "label": 2})";
constexpr const char* winogrande_line =
    R"({"sentence": "Ann met Eve and _ was glad.", "option1": "Ann", "option2": "Eve", "answer": "2"})";
constexpr const char* copa_line =
    R"({"premise": "It rained. ", "choice1": "The street was wet.", "choice2": "Élan.", "question": "effect", "label": 1})";
constexpr const char* story_header =
    "InputStoryid,InputSentence1,InputSentence2,InputSentence3,InputSentence4,"
    "RandomFifthSentenceQuiz1,RandomFifthSentenceQuiz2,AnswerRightEnding\n";
constexpr const char* copa_item =
    "<item id=\"1\" asks-for=\"cause\" most-plausible-alternative=\"1\"><p>It rained.</p>"
    "<a1>The sky was grey.</a1><a2>No.</a2></item>";

class TaskFileTest : public testing::Test {
 protected:
  TaskFile file(const std::string& kind, const std::string& name, const std::string& bytes) const {
    support::write_bytes(folder_ / name, bytes);
    return {.kind = kind, .file = folder_ / name};
  }
  TaskQuestions read(const std::string& kind, const std::string& name,
                     const std::string& bytes) const {
    return read_task(file(kind, name, bytes));
  }
  TaskQuestion first(const std::string& kind, const std::string& name,
                     const std::string& bytes) const {
    return read(kind, name, bytes).questions.at(0);
  }
  void expect_fault(const std::string& kind, const std::string& name, const std::string& bytes,
                    const std::string& where, std::initializer_list<std::string_view> parts) const {
    SCOPED_TRACE(kind + ": " + bytes.substr(0, 80));
    support::expect_error<InputError>([&] { read(kind, name, bytes); }, folder_ / (name + where),
                                      parts);
  }

  support::ScratchFolder folder_;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(const TaskQuestion& question) {
  Pairs pairs;
  for (const TaskRequest& request : question.requests) {
    pairs.emplace_back(request.context, request.continuation);
  }
  return pairs;
}

TEST_F(TaskFileTest, Arc) {
  for (const char* kind : {"arc_easy", "arc_challenge"}) {
    const auto all = read(kind, "a.jsonl", std::string("\n") + arc_line + "\r\n");
    EXPECT_EQ(all.form, TaskForm::choices);
    const TaskQuestion& question = all.questions.at(0);
    EXPECT_EQ(pairs(question),
              (Pairs{{"Question: Why?\nAnswer:", " so"}, {"Question: Why?\nAnswer:", " ça"}}));
    EXPECT_EQ(question.answer, 1U);
    EXPECT_EQ(question.lengths, (std::vector<std::size_t>{2, 2}));  // characters, not bytes
    EXPECT_EQ(question.line, 2U);
  }
}

TEST_F(TaskFileTest, PiqaHasItsLabelsBesideIt) {
  support::write_bytes(folder_ / "valid-labels.lst", "1\n0\n");
  support::write_bytes(folder_ / "other.lst", "0\n0\n");
  TaskFile task = file("piqa", "valid.jsonl", std::string(piqa_line) + "\n" + piqa_line + "\n");
  auto all = read_task(task);
  EXPECT_EQ(pairs(all.questions.at(0)),
            (Pairs{{"Question: Go\nAnswer:", " walk"}, {"Question: Go\nAnswer:", " run fast"}}));
  EXPECT_EQ(all.questions.at(0).answer, 1U);
  EXPECT_EQ(all.questions.at(1).answer, 0U);
  EXPECT_EQ(read_task(task, 1).questions.size(), 1U);
  task.labels = folder_ / "other.lst";
  EXPECT_EQ(read_task(task).questions.at(0).answer, 0U);

  support::write_bytes(folder_ / "other.lst", "0\n2\n");
  support::expect_error<InputError>([&] { read_task(task); }, folder_ / "other.lst:2",
                                    {"expected a label, 0 or 1", "'2'"});
  support::write_bytes(folder_ / "other.lst", "0\n");
  support::expect_error<InputError>([&] { read_task(task); }, folder_ / "other.lst",
                                    {"1 labels", "2 questions"});
  task.labels = folder_ / "absent.lst";
  support::expect_error<InputError>([&] { read_task(task); }, folder_ / "absent.lst", {});
}

TEST_F(TaskFileTest, HellaSwagIsPreprocessed) {
  const TaskQuestion question = first("hellaswag", "h.jsonl", hellaswag_line);
  // "[header]" goes and the two blanks become one; ctx_b is capitalized.
  EXPECT_EQ(pairs(question), (Pairs{{"Cooking: A man cooks. He then", " eats it"},
                                    {"Cooking: A man cooks. He then", " sits. down"},
                                    {"Cooking: A man cooks. He then", " runs"}}));
  EXPECT_EQ(question.answer, 2U);
}

TEST_F(TaskFileTest, WinograndeHasTwoContextsOfOneContinuation) {
  const auto all = read("winogrande", "w.jsonl", winogrande_line);
  EXPECT_EQ(all.form, TaskForm::contexts);
  EXPECT_EQ(pairs(all.questions.at(0)),
            (Pairs{{"Ann met Eve and Ann", " was glad."}, {"Ann met Eve and Eve", " was glad."}}));
  EXPECT_EQ(all.questions.at(0).answer, 1U);
}

TEST_F(TaskFileTest, LambadaSplitsAtTheLastBlank) {
  for (const char* kind : {"lambada", "lambada_openai"}) {
    const auto all = read(kind, "l.jsonl", R"({"text": "One.\nTwo and three"})");
    EXPECT_EQ(all.form, TaskForm::last_word);
    EXPECT_EQ(pairs(all.questions.at(0)), (Pairs{{"One.\nTwo and", " three"}}));
    const auto plain = read(kind, "l.txt", "a b c\n\nword\r\n");
    EXPECT_EQ(pairs(plain.questions.at(0)), (Pairs{{"a b", " c"}}));
    EXPECT_EQ(pairs(plain.questions.at(1)), (Pairs{{"", " word"}}));
    EXPECT_EQ(plain.questions.at(1).line, 3U);
  }
}

TEST_F(TaskFileTest, Copa) {
  // The harness joins by a blank what begins with one.
  EXPECT_EQ(pairs(first("copa", "c.jsonl", copa_line)),
            (Pairs{{"It rained therefore", "  the street was wet."},
                   {"It rained therefore", "  élan."}}));
  const auto xml = read("copa", "c.xml",
                        std::string("<?xml version=\"1.0\"?>\n<copa-corpus>\n") + copa_item + "\n" +
                            copa_item + "</copa-corpus>");
  ASSERT_EQ(xml.questions.size(), 2U);
  EXPECT_EQ(pairs(xml.questions[0]),
            (Pairs{{"It rained because", "  the sky was grey."}, {"It rained because", "  no."}}));
  EXPECT_EQ(xml.questions[0].answer, 0U);
  EXPECT_EQ(xml.questions[1].line, 4U);
}

TEST_F(TaskFileTest, StoryCloze) {
  const auto all =
      read("storycloze", "s.csv",
           std::string("\xEF\xBB\xBF") + story_header +
               "id,\"He said \"\"no\"\", twice.\",b,\"c\nd\",e,f,g,2\r\nid,a,b,c,d,e,f,1\n");
  ASSERT_EQ(all.questions.size(), 2U);
  EXPECT_EQ(pairs(all.questions[0]), (Pairs{{"He said \"no\", twice. b c\nd e", " f"},
                                            {"He said \"no\", twice. b c\nd e", " g"}}));
  EXPECT_EQ(all.questions[0].answer, 1U);
  EXPECT_EQ(all.questions[1].line, 4U);
}

TEST_F(TaskFileTest, PlainQuestions) {
  const auto choices =
      read("plain", "p.jsonl",
           "{\"context\": \"\", \"choices\": [\"a\", \"b\"], \"answer\": 1}\n"
           "{\"context\": \"x\", \"choices\": [\"a\", \"b\", \"c\"], \"answer\": 0}");
  EXPECT_EQ(choices.form, TaskForm::choices);
  EXPECT_EQ(pairs(choices.questions.at(0)), (Pairs{{"", " a"}, {"", " b"}}));
  const auto contexts =
      read("plain", "p.jsonl", R"({"contexts": ["a", "b"], "continuation": "c", "answer": 0})");
  EXPECT_EQ(contexts.form, TaskForm::contexts);
  EXPECT_EQ(pairs(contexts.questions.at(0)), (Pairs{{"a", " c"}, {"b", " c"}}));
  const auto words = read("plain", "p.jsonl", R"({"context": "a", "target": "b"})");
  EXPECT_EQ(words.form, TaskForm::last_word);
  EXPECT_EQ(pairs(words.questions.at(0)), (Pairs{{"a", " b"}}));
}

TEST_F(TaskFileTest, TextIsTheContextsOfTheQuestions) {
  EXPECT_EQ(task_text(file("plain", "p.jsonl",
                           "{\"context\": \"one\", \"choices\": [\"a\", \"b\"], \"answer\": 1}\n"
                           "{\"context\": \"two\", \"choices\": [\"a\", \"b\"], \"answer\": 0}\n")),
            "one\n\ntwo");
  file("winogrande", "w.jsonl", winogrande_line);
  EXPECT_EQ(task_text("winogrande", folder_ / "w.jsonl"), "Ann met Eve and Eve");
  EXPECT_EQ(TaskFile({.kind = "piqa", .file = "x/valid.jsonl"}).label(), "piqa: valid.jsonl");
}

// ---- Faults ----

TEST_F(TaskFileTest, TheKindAndItsTypeOfFileAreKnown) {
  expect_fault("arc", "a.jsonl", arc_line, "", {"unknown task 'arc'", "arc_easy", "plain"});
  expect_fault("arc_easy", "a.csv", arc_line, "", {"arc_easy is read from .jsonl"});
  expect_fault("copa", "a.txt", copa_line, "", {"copa is read from .jsonl or .xml"});
  support::expect_error<InputError>(
      [&] { read_task({.kind = "arc_easy", .file = folder_ / "absent.jsonl"}); },
      folder_ / "absent.jsonl", {});
}

TEST_F(TaskFileTest, AnEmptyFileHasNoQuestion) {
  for (const auto& [kind, name] :
       Pairs{{"arc_easy", "a.jsonl"}, {"lambada", "a.txt"}, {"plain", "a.jsonl"}}) {
    for (const char* bytes : {"", "\n\n"}) {
      expect_fault(kind, name, bytes, "", {"no question", "give one a line"});
    }
  }
  for (const char* bytes : {"", "\n\n", story_header}) {
    expect_fault("storycloze", "a.csv", bytes, "", {"no question", "a row below the header"});
  }
  for (const char* bytes : {"<copa-corpus></copa-corpus>", "<c><d>1</d></c>"}) {
    expect_fault("copa", "a.xml", bytes, "", {"no question", "an <item>"});
  }
}

// A line that ends early is no JSON, whatever its kind; cut anywhere.
TEST_F(TaskFileTest, TruncatedLinesAreRefused) {
  support::write_bytes(folder_ / "a-labels.lst", "1\n");
  for (const auto& [kind, line] : Pairs{{"arc_easy", arc_line},
                                        {"piqa", piqa_line},
                                        {"hellaswag", hellaswag_line},
                                        {"winogrande", winogrande_line},
                                        {"copa", copa_line}}) {
    EXPECT_NO_THROW(read(kind, "a.jsonl", line));
    for (std::size_t size = 1; size < line.size(); ++size) {
      expect_fault(kind, "a.jsonl", line.substr(0, size), ":1", {});
    }
  }
  const std::string xml = std::string("<c>") + copa_item + "</c>";
  for (std::size_t size = 1; size < xml.size(); ++size) {
    EXPECT_THROW(read("copa", "a.xml", xml.substr(0, size)), InputError) << size;
  }
}

// Each key of each kind absent, of another type, empty or out of range.
TEST_F(TaskFileTest, EveryKeyIsChecked) {
  support::write_bytes(folder_ / "a-labels.lst", "1\n");
  using Json = nlohmann::ordered_json;
  for (const auto& [kind, line] : Pairs{{"arc_easy", arc_line},
                                        {"piqa", piqa_line},
                                        {"hellaswag", hellaswag_line},
                                        {"winogrande", winogrande_line},
                                        {"copa", copa_line}}) {
    const Json good = Json::parse(line);
    for (const auto& [key, value] : good.items()) {
      if (key == "id") continue;
      std::vector<Json> wrong{Json::object(), Json::array(),          "", true, -1, 7, 1e300,
                              "x\n",          std::uint64_t{1} << 63U};
      if (value.is_string()) wrong = {Json::object(), Json::array(), true, 7};
      for (const Json& bad : wrong) {
        Json changed = good;
        changed[key] = bad;
        expect_fault(kind, "a.jsonl", "\n" + changed.dump(), ":2", {});
      }
      if (key == "ctx_b") continue;  // may be absent
      Json changed = good;
      changed.erase(key);
      expect_fault(kind, "a.jsonl", changed.dump(), ":1", {});
      changed[key] = nullptr;
      expect_fault(kind, "a.jsonl", changed.dump(), ":1", {});
      if (!value.is_string()) continue;
      changed[key] = "";
      expect_fault(kind, "a.jsonl", changed.dump(), ":1", {});
    }
  }
}

TEST_F(TaskFileTest, AnswersAreAmongTheChoices) {
  std::string arc = arc_line;
  arc.replace(arc.rfind('B'), 1, "C");
  expect_fault("arc_easy", "a.jsonl", arc, ":1", {"'answerKey'", "A, B"});
  expect_fault("winogrande", "a.jsonl",
               R"({"sentence": "a _ b", "option1": "x", "option2": "y", "answer": "0"})", ":1",
               {"'answer'", "1 to 2", "got 0"});
  expect_fault("winogrande", "a.jsonl",
               R"({"sentence": "a b", "option1": "x", "option2": "y", "answer": "1"})", ":1",
               {"no '_'"});
  expect_fault("plain", "a.jsonl", R"({"context": "a", "choices": ["a", "b"], "answer": 2})", ":1",
               {"0 to 1", "got 2"});
  expect_fault("plain", "a.jsonl", R"({"context": "a", "choices": ["a"], "answer": 0})", ":1",
               {"'choices'", "two or more"});
  expect_fault("plain", "a.jsonl", R"({"context": "a", "choices": ["a", ""], "answer": 0})", ":1",
               {"item 1", "empty"});
  expect_fault("copa", "a.jsonl",
               R"({"premise": "a", "choice1": "b", "choice2": "c", "question": "why", "label": 0})",
               ":1", {"cause or effect", "'why'"});
}

TEST_F(TaskFileTest, PlainFilesHaveOneForm) {
  expect_fault("plain", "a.jsonl",
               "{\"context\": \"a\", \"target\": \"b\"}\n"
               "{\"contexts\": [\"a\", \"b\"], \"continuation\": \"c\", \"answer\": 0}\n",
               ":2", {"another form"});
  expect_fault("plain", "a.jsonl", R"({"context": "a"})", ":1", {"\"choices\"", "\"target\""});
  expect_fault("plain", "a.jsonl", "[]", ":1", {"JSON object"});
}

TEST_F(TaskFileTest, LastWordsAreWords) {
  expect_fault("lambada", "a.jsonl", R"({"text": "ends with "})", ":1", {"last word"});
  expect_fault("lambada", "a.txt", "good one\nends with \n", ":2", {"last word"});
  expect_fault("lambada", "a.txt", "good\n\xFF\xFE bad\n", ":2", {"UTF-8"});
}

TEST_F(TaskFileTest, StoriesHaveTheirColumns) {
  const std::string header = story_header;
  expect_fault("storycloze", "a.csv", "a,b\n1,2\n", ":1", {"no column InputSentence1"});
  expect_fault("storycloze", "a.csv", header.substr(0, header.rfind(',')) + "\n", ":1",
               {"no column AnswerRightEnding"});
  expect_fault("storycloze", "a.csv", header + "id,a,b,c,d,e,f\n", ":2", {"7 columns", "8"});
  expect_fault("storycloze", "a.csv", header + "id,a,b,c,d,e,f,3\n", ":2", {"expected 1 or 2"});
  expect_fault("storycloze", "a.csv", header + "id,a,b,,d,e,f,1\n", ":2",
               {"InputSentence3 is empty"});
  expect_fault("storycloze", "a.csv", header + "id,a,b,c,d,e,\"f,1\n", ":2", {"not closed"});
}

TEST_F(TaskFileTest, CopaXmlHasItsParts) {
  const std::string item = copa_item;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = item;
    return "<c>\n" + changed.replace(changed.find(from), from.size(), to) + "</c>";
  };
  expect_fault("copa", "a.xml", with("cause", "why"), ":2", {"asks-for", "'why'"});
  expect_fault("copa", "a.xml", with("alternative=\"1\"", "alternative=\"3\""), ":2",
               {"expected 1 or 2"});
  expect_fault("copa", "a.xml", with("<a2>No.</a2>", ""), ":2", {"no text in <a2>"});
  expect_fault("copa", "a.xml", with("</p>", "</q>"), ":2", {"not XML"});
  expect_fault("copa", "a.xml", "no xml", ":1", {"not XML"});
}

TEST_F(TaskFileTest, ItemsOfCopaXmlKnowTheirLines) {
  const std::string item = copa_item;
  const std::string two_on_a_line = "<c>\n\n" + item + item + "\n<!--\n-->" + item + "\n</c>\n";
  std::vector<std::size_t> lines;
  for (const auto& question : read("copa", "a.xml", two_on_a_line).questions) {
    lines.push_back(question.line);
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 3, 5}));
  expect_fault("copa", "a.xml", "<c>\n" + item + "\n\n<item asks-for=\"why\"/></c>", ":4",
               {"asks-for"});
}

}  // namespace
}  // namespace evenkeel
