// Tasks in JSON lines, one question each.
#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "io/json_reader.h"
#include "io/one_line.h"
#include "io/strict_json.h"
#include "io/tasks/prompts.h"
#include "io/tasks/python_text.h"
#include "io/tasks/task_kinds.h"
#include "io/text_lines.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

/// One line's object. Errors are said to be at FILE:LINE.
class QuestionReader {
 public:
  explicit QuestionReader(const TextLine& line)
      : line_(line), object_(line.place(), parse_json(line.place(), line.text, line.offset)) {}

  const TextLine& line() const { return line_; }
  bool has(std::string_view key) const { return object_.has(key); }

  /// May be empty.
  std::string any_text(std::string_view key) const { return object_.text(key); }
  std::string text(std::string_view key) const {
    std::string text = object_.text(key);
    if (text.empty()) line_.refuse(fmt::format("'{}' is empty; leave the line out", key));
    return text;
  }
  std::vector<std::string> texts(std::initializer_list<std::string_view> keys) const {
    std::vector<std::string> all;
    for (const std::string_view key : keys) all.push_back(text(key));
    return all;
  }
  /// At least two that are not empty.
  std::vector<std::string> list(std::string_view key) const {
    const auto found = object_.document().find(key);
    const bool is_list = found != object_.document().end() && found->is_array();
    if (!is_list || found->size() < 2) {
      line_.refuse(fmt::format("'{}': expected a list of two or more strings", key));
    }
    std::vector<std::string> all;
    for (const Json& item : *found) {
      if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
        line_.refuse(fmt::format("'{}': item {} is no string, or is empty", key, all.size()));
      }
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  /// Which of `count` answers an integer, or its digits in quotes, names; `first` names answer 0.
  std::size_t answer(std::string_view key, std::size_t count, std::int64_t first = 0) const {
    const auto found = object_.document().find(key);
    const auto number = found == object_.document().end() ? std::nullopt : number_of(*found);
    const auto last = first + static_cast<std::int64_t>(count) - 1;
    if (!number || *number < first || *number > last) {
      line_.refuse(fmt::format("'{}': expected the right answer, {} to {}{}", key, first, last,
                               number ? fmt::format("; got {}", *number) : ""));
    }
    return static_cast<std::size_t>(*number - first);
  }
  const Json& document() const { return object_.document(); }

 private:
  static std::optional<std::int64_t> number_of(const Json& value) {
    if (value.is_number_integer() &&
        !(value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{1} << 62U)) {
      return value.get<std::int64_t>();
    }
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
  }

  const TextLine& line_;
  JsonReader object_;
};

using ReadQuestion = std::function<TaskQuestion(const QuestionReader& object)>;

std::vector<TaskQuestion> read_questions(const std::filesystem::path& file,
                                         const ReadQuestion& read) {
  std::vector<TaskQuestion> questions;
  for_each_line(file, [&](const TextLine& line) {
    questions.push_back(read(QuestionReader(line)));
    questions.back().line = line.number;
  });
  return questions;
}

struct ArcChoices {
  std::vector<std::string> labels;
  std::vector<std::string> texts;
};

ArcChoices arc_choices(const QuestionReader& object) {
  const auto wrong = [&object]() {
    object.line().refuse(
        "'question.choices': expected a list of two or more objects with 'text' and 'label', "
        "strings that are not empty");
  };
  const auto& document = object.document();
  const auto question = document.find("question");  // an object: its stem was read
  const auto list = question->find("choices");
  if (list == question->end() || !list->is_array() || list->size() < 2) wrong();
  ArcChoices choices;
  const auto text_in = [&](const Json& item, const char* key) -> const std::string& {
    const auto found = item.is_object() ? item.find(key) : item.end();
    if (!item.is_object() || found == item.end() || !found->is_string()) wrong();
    if (found->get_ref<const std::string&>().empty()) wrong();
    return found->get_ref<const std::string&>();
  };
  for (const Json& item : *list) {
    choices.texts.push_back(text_in(item, "text"));
    choices.labels.push_back(text_in(item, "label"));
  }
  return choices;
}

TaskQuestion arc_question(const QuestionReader& object) {
  const std::string stem = object.text("question.stem");
  const ArcChoices choices = arc_choices(object);
  const std::string key = object.text("answerKey");
  const auto found = std::ranges::find(choices.labels, key);
  if (found == choices.labels.end()) {
    object.line().refuse(fmt::format("'answerKey' {} is none of the choices' labels {}",
                                     in_quotes(key),
                                     one_line(fmt::format("{}", fmt::join(choices.labels, ", ")))));
  }
  return choice_question(question_prompt(stem), choices.texts,
                         static_cast<std::size_t>(found - choices.labels.begin()));
}

TaskQuestion hellaswag_question(const QuestionReader& object) {
  const std::string context =
      object.text("ctx_a") + " " +
      capitalized(object.has("ctx_b") ? object.any_text("ctx_b") : std::string());
  std::vector<std::string> endings = object.list("endings");
  for (std::string& ending : endings) ending = hellaswag_text(ending);
  return choice_question(hellaswag_text(object.text("activity_label") + ": " + context), endings,
                         object.answer("label", endings.size()));
}

TaskQuestion winogrande_question(const QuestionReader& object) {
  const std::string sentence = object.text("sentence");
  const std::size_t gap = sentence.find('_');
  if (gap == std::string::npos) {
    object.line().refuse("'sentence' has no '_', where the options go");
  }
  std::vector<std::string> contexts = object.texts({"option1", "option2"});
  for (std::string& context : contexts) context.insert(0, sentence, 0, gap);
  return context_question(contexts, stripped(std::string_view(sentence).substr(gap + 1)),
                          object.answer("answer", 2, 1));
}

TaskQuestion last_word_question(const TextLine& line, std::string_view text) {
  if (text.ends_with(' ')) line.refuse("ends with a blank, so that it has no last word; remove it");
  return lambada_question(text);
}

// A file of one form: the figures of the forms differ.
std::optional<TaskForm> form_of(const QuestionReader& object) {
  if (object.has("choices")) return TaskForm::choices;
  if (object.has("contexts")) return TaskForm::contexts;
  if (object.has("target")) return TaskForm::last_word;
  return std::nullopt;
}

TaskQuestion plain_question(const QuestionReader& object, TaskForm form) {
  const auto context = [&] { return object.has("context") ? object.any_text("context") : ""; };
  if (form == TaskForm::choices) {
    const auto choices = object.list("choices");
    return choice_question(context(), choices, object.answer("answer", choices.size()));
  }
  if (form == TaskForm::contexts) {
    const auto contexts = object.list("contexts");
    return context_question(contexts, object.text("continuation"),
                            object.answer("answer", contexts.size()));
  }
  return word_question(context(), object.text("target"));
}

// One label a line.
std::vector<std::size_t> read_label_file(const std::filesystem::path& file) {
  std::vector<std::size_t> labels;
  for_each_line(file, [&](const TextLine& line) {
    if (line.text != "0" && line.text != "1") {
      line.refuse(fmt::format("expected a label, 0 or 1; got {}", in_quotes(line.text)));
    }
    labels.push_back(line.text == "1" ? 1 : 0);
  });
  return labels;
}

}  // namespace

TaskQuestions read_arc(const TaskFile& task) {
  return {TaskForm::choices, read_questions(task.file, arc_question)};
}

TaskQuestions read_piqa(const TaskFile& task) {
  TaskQuestions all{TaskForm::choices, read_questions(task.file, [](const QuestionReader& object) {
                      return choice_question(question_prompt(object.text("goal")),
                                             object.texts({"sol1", "sol2"}), 0);
                    })};
  const std::filesystem::path file = label_file_of(task);
  const auto labels = read_label_file(file);
  if (labels.size() != all.questions.size()) {
    throw InputError(
        fmt::format("{}: {} labels, but {} has {} questions; give one label a question",
                    file.string(), labels.size(), task.file.string(), all.questions.size()));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) all.questions[i].answer = labels[i];
  return all;
}

TaskQuestions read_hellaswag(const TaskFile& task) {
  return {TaskForm::choices, read_questions(task.file, hellaswag_question)};
}

TaskQuestions read_winogrande(const TaskFile& task) {
  return {TaskForm::contexts, read_questions(task.file, winogrande_question)};
}

TaskQuestions read_lambada(const TaskFile& task) {
  return {TaskForm::last_word, read_questions(task.file, [](const QuestionReader& object) {
            return last_word_question(object.line(), object.text("text"));
          })};
}

TaskQuestions read_lambada_text(const TaskFile& task) {
  TaskQuestions all{.form = TaskForm::last_word};
  for_each_line(task.file, [&](const TextLine& line) {
    all.questions.push_back(last_word_question(line, line.text));
    all.questions.back().line = line.number;
  });
  return all;
}

TaskQuestions read_copa(const TaskFile& task) {
  return {TaskForm::choices, read_questions(task.file, [](const QuestionReader& object) {
            const std::string question = object.text("question");
            if (question != "cause" && question != "effect") {
              object.line().refuse(
                  fmt::format("'question': expected cause or effect; got {}", in_quotes(question)));
            }
            return copa_question(object.text("premise"), question,
                                 object.texts({"choice1", "choice2"}), object.answer("label", 2));
          })};
}

TaskQuestions read_plain(const TaskFile& task) {
  std::optional<TaskForm> form;
  auto questions = read_questions(task.file, [&form](const QuestionReader& object) {
    const auto own = form_of(object);
    if (!own) {
      object.line().refuse(
          "expected {\"context\", \"choices\", \"answer\"}, {\"contexts\", \"continuation\", "
          "\"answer\"} or {\"context\", \"target\"}");
    }
    if (form && *form != *own) {
      object.line().refuse(
          "is of another form than the lines before it; give questions of each form a file of "
          "their own");
    }
    form = own;
    return plain_question(object, *own);
  });
  return {form.value_or(TaskForm::choices), std::move(questions)};
}

}  // namespace evenkeel
