// Tasks in other files than JSON lines.
#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "io/csv.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"
#include "io/tasks/prompts.h"
#include "io/tasks/task_kinds.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

struct Place {
  const std::filesystem::path& file;
  std::size_t line;

  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", file.string(), line, message));
  }
};

// Which of two answers "1" and "2" name.
std::size_t first_or_second(const Place& place, std::string_view what, std::string_view text) {
  if (text != "1" && text != "2") {
    place.refuse(fmt::format("{}: expected 1 or 2; got {}", what, in_quotes(text)));
  }
  return text == "1" ? 0 : 1;
}

constexpr std::array<std::string_view, 7> story_columns{
    "InputSentence1",           "InputSentence2",           "InputSentence3",   "InputSentence4",
    "RandomFifthSentenceQuiz1", "RandomFifthSentenceQuiz2", "AnswerRightEnding"};

std::vector<std::size_t> columns_in(const CsvRow& header, const Place& place) {
  std::vector<std::size_t> columns;
  for (const std::string_view name : story_columns) {
    const auto found = std::ranges::find(header.fields, name);
    if (found == header.fields.end()) {
      place.refuse(
          fmt::format("the header has no column {}; give the file as it is distributed, "
                      "with its answers",
                      name));
    }
    columns.push_back(static_cast<std::size_t>(found - header.fields.begin()));
  }
  return columns;
}

TaskQuestion story_question(const CsvRow& row, const std::vector<std::size_t>& columns,
                            const Place& place) {
  const auto field = [&](std::size_t i) -> const std::string& {
    const std::string& text = row.fields[columns[i]];
    if (text.empty()) place.refuse(fmt::format("{} is empty; leave the row out", story_columns[i]));
    return text;
  };
  TaskQuestion question =
      choice_question(fmt::format("{} {} {} {}", field(0), field(1), field(2), field(3)),
                      {field(4), field(5)}, first_or_second(place, story_columns[6], field(6)));
  question.line = place.line;
  return question;
}

// Lines of offsets into a text that are asked for in rising order, each byte counted once.
class RisingLines {
 public:
  explicit RisingLines(std::string_view text) : text_(text) {}

  std::size_t at(std::size_t offset) {
    assert(offset >= counted_);
    const std::size_t end = std::min(offset, text_.size());
    line_ +=
        static_cast<std::size_t>(std::ranges::count(text_.substr(counted_, end - counted_), '\n'));
    counted_ = end;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t counted_ = 0;
  std::size_t line_ = 1;
};

std::size_t line_at(std::string_view text, std::ptrdiff_t offset) {
  return RisingLines(text).at(static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
}

std::string child_text(const pugi::xml_node& item, const char* name, const Place& place) {
  std::string text = item.child_value(name);
  if (text.empty()) place.refuse(fmt::format("the item has no text in <{}>", name));
  return text;
}

TaskQuestion copa_item(const pugi::xml_node& item, const Place& place) {
  const std::string question = item.attribute("asks-for").value();
  if (question != "cause" && question != "effect") {
    place.refuse(fmt::format("asks-for: expected cause or effect; got {}", in_quotes(question)));
  }
  TaskQuestion result =
      copa_question(child_text(item, "p", place), question,
                    {child_text(item, "a1", place), child_text(item, "a2", place)},
                    first_or_second(place, "most-plausible-alternative",
                                    item.attribute("most-plausible-alternative").value()));
  result.line = place.line;
  return result;
}

}  // namespace

TaskQuestions read_storycloze(const TaskFile& task) {
  const std::vector<CsvRow> rows = read_csv(task.file);
  TaskQuestions all{.form = TaskForm::choices};
  std::vector<std::size_t> columns;
  for (const CsvRow& row : rows) {
    const Place place{task.file, row.line};
    if (columns.empty()) {
      columns = columns_in(row, place);
      continue;
    }
    if (row.fields.size() != rows.front().fields.size()) {
      place.refuse(fmt::format("{} columns, but the header has {}; put texts with commas in quotes",
                               row.fields.size(), rows.front().fields.size()));
    }
    all.questions.push_back(story_question(row, columns, place));
  }
  return all;
}

TaskQuestions read_copa_xml(const TaskFile& task) {
  const MappedFile mapped(task.file);
  const std::string_view text = mapped.text();
  if (const auto offset = first_invalid_utf8(text)) {
    Place{task.file, line_at(text, static_cast<std::ptrdiff_t>(*offset))}.refuse(
        "not valid UTF-8; convert it");
  }
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    Place{task.file, line_at(text, parsed.offset)}.refuse(
        fmt::format("not XML: {}", parsed.description()));
  }
  TaskQuestions all{.form = TaskForm::choices};
  RisingLines lines(text);  // a line for each item: not counted from the start each time
  for (const pugi::xml_node& item : document.document_element().children("item")) {
    const auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(item.offset_debug(), 0));
    all.questions.push_back(copa_item(item, {task.file, lines.at(offset)}));
  }
  return all;
}

}  // namespace evenkeel
